import assert from "node:assert/strict";
import {test} from "node:test";
import {sprintf} from "./printf.ts";
import {GoDuration, GoMap, GoSample, type Value} from "./values.ts";

const labels = new GoMap(
  new Map([
    ["job", 'a"b'],
    ["x", "é"],
  ]),
);
const duration = new GoDuration(90_500_000_000);
const sample = new GoSample(new GoMap(new Map([["a", "b"]])), 1.5);

test("verbs, flags, widths and numbers of arguments are those of Go", () => {
  const f = (format: string, args: readonly Value[], want: string): void =>
    assert.equal(sprintf(format, args), want, format);
  f("%x %X", [1.5, -0.1], "0x1.8p+00 -0X1.999999999999AP-04");
  f("%.2x|%12.1x|%#x", [1.999, 255, 8], "0x1.00p+01|   0x1.0p+08|0x1.0000p+03");
  f("%x %x", [0, 5e-324], "0x0p+00 0x1p-1074");
  f("%b", [1], "4503599627370496p-52");
  f("%.0f %.0f %.0f %.1f", [0.5, 1.5, 2.5, 1.25], "0 2 2 1.2");
  f("%.3e %.4g", [12345, 12345], "1.234e+04 1.234e+04");
  f("%e|%E|%G", [0, 1e-7, 1e-7], "0.000000e+00|1.000000E-07|1E-07");
  f("%#g|%#.3g|%#.0f", [1, 100, 3], "1.00000|100.|3.");
  f("%f %f %+f %5.1f", [Number.NaN, Infinity, Number.NaN, -Infinity], "NaN +Inf +NaN  -Inf");
  f("%08.2f|%+08.2f|%-8.2f|% .2f", [-3.25719, 3.25719, 3.25719, 3.25719], "-0003.26|+0003.26|3.26    | 3.26");
  f("%.25f", [0.1], "0.1000000000000000055511151");
  f("%.1f", [1e22], "10000000000000000000000.0");
  f("%[1]d %[1]x %#[1]x %#[1]o %[1]O %[1]b", [255n], "255 ff 0xff 0377 0o377 11111111");
  f("%[2]d %[1]d", [1n, 2n], "2 1");
  f("%[3]*.[2]*[1]f|", [12, 2n, 6n], " 12.00|");
  f("%*d|%-*d|%*d|", [5n, 7n, 5n, 7n, -5n, 7n], "    7|7    |7    |");
  f("%.*f", [2n, 3.25719], "3.26");
  f("%[5]d %[0]d %[x]d %[1", [1n], "%!d(BADINDEX) %!d(BADINDEX) %!d(BADINDEX) %!(NOVERB)");
  f("%[1]2d", [1n], "%!d(BADINDEX)");
  f("%*d", ["a", 7n], "%!(BADWIDTH)7");
  f("%.*d", [-2n, 7n], "%!(BADPREC)7");
  f("%d %s", [1n, "x", 3n, undefined, true], "1 x%!(EXTRA int=3, <nil>, bool=true)");
  f("%d %", [1n], "1 %!(NOVERB)");
  f("%d%", [], "%!d(MISSING)%!(NOVERB)");
  f(
    "%08d|%+d|% d|%-6d|%.4d|%6.4d|%#08x|%.0d|",
    [-42n, 42n, 42n, 42n, 42n, 42n, 255n, 0n],
    "-0000042|+42| 42|42    |0042|  0042|0x000000ff||",
  );
  f("%c %q %U %#U %+q", [8364n, 10n, 8364n, 8364n, 128512n], "€ '\\n' U+20AC U+20AC '€' '\\U0001f600'");
  f(
    "%5s|%-5s|%.2s|%05s|%q|%#q|%+q",
    ["hi", "hi", "héllo", "hi", 'a"b\n', 'a"b', "é😀"],
    '   hi|hi   |hé|000hi|"a\\"b\\n"|`a"b`|"\\u00e9\\U0001f600"',
  );
  f("%x|%X|% x|%#x|%# x|%.2x", ["hi", "hi", "hi", "hi", "hi", "hello"], "6869|6869|68 69|0x6869|0x68 0x69|6865");
  f("%t|%6t|%v", [true, false, true], "true| false|true");
  f("%d %t %s %z", ["x", 1n, 1.5, 1n], "%!d(string=x) %!t(int=1) %!s(float64=1.5) %!z(int=1)");
  f("%6d|%+d", ["hi", 1.5], "%!d(string=    hi)|%!d(float64=+1.5)");
  f("%v %d %T %+v %#v", [undefined, undefined, undefined, 1.5, 'a"'], '<nil> %!d(<nil>) <nil> 1.5 "a\\""');
  f(
    "%v %q %#v",
    [labels, labels, labels],
    'map[job:a"b x:é] map["job":"a\\"b" "x":"é"] map[string]string{"job":"a\\"b", "x":"é"}',
  );
  f("%s %q %x %T", [duration, duration, duration, duration], '1m30.5s "1m30.5s" 316d33302e3573 *time.Duration');
  f("%v %+v", [sample, sample], "&{map[a:b] 1.5} &{Labels:map[a:b] Value:1.5}");
});
