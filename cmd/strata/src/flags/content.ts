import {readFile} from "node:fs/promises";
import {errorCode, errorText, StrataError} from "@strata/base";

/** Configuration that a pair of flags names: a file, or the text itself. */
export type Content = {
  /** Name of the text's flag, without dashes. */
  readonly flag: string;
  /** Whether either flag was given and not empty. */
  readonly given: boolean;
  /** The file, for those who watch it. */
  readonly path: string | undefined;
  /** The text, "" when neither flag was given. A file is read at each call; `$(NAME)` is expanded. Throws `bad_data`. */
  read(): Promise<string>;
  /**
   * What `use` makes of the text. An error of it becomes one line that names the flag, or flag and file, and repeats no
   * line of the text, which may hold passwords: parsers of YAML quote the place behind the first line.
   */
  parse<T>(use: (text: string) => T | Promise<T>): Promise<T>;
};

export type ContentOptions = {
  readonly flag: string;
  readonly fileFlag: string;
  /** From the command line; "" when not given. */
  readonly path: string;
  readonly text: string;
  readonly required: boolean;
  readonly expandEnv: boolean;
};

/** Checks that not both were given, and one where one is needed. Throws `bad_data`. */
export function newContent(options: ContentOptions): Content {
  const {flag, fileFlag, path, text} = options;
  if (path !== "" && text !== "") {
    throw new StrataError("bad_data", `both --${fileFlag} and --${flag} are given; give only one of them`);
  }
  if (options.required && path === "" && text === "") {
    throw new StrataError("bad_data", `flag --${fileFlag} or --${flag} is required for running this command`);
  }
  const where = path === "" ? `--${flag}` : `--${fileFlag}=${path}`;
  const content: Content = {
    flag,
    given: path !== "" || text !== "",
    path: path === "" ? undefined : path,
    async read() {
      const raw = path === "" ? text : await readConfig(fileFlag, path);
      return options.expandEnv ? expandEnv(raw, where) : raw;
    },
    async parse(use) {
      const read = await content.read();
      try {
        return await use(read);
      } catch (err) {
        const line = errorText(err).split("\n", 1)[0]?.replace(/:$/, "");
        // Without its cause: the logger would write that, too.
        throw new StrataError(errorCode(err), `cannot use ${where}: ${line}`);
      }
    },
  };
  return content;
}

async function readConfig(fileFlag: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (err) {
    throw new StrataError("bad_data", `cannot read the file of --${fileFlag}: ${errorText(err)}`, {cause: err});
  }
}

/** Puts environment variables in place of `$(NAME)`. There is no escape. Throws `bad_data` for one that is not set. */
export function expandEnv(text: string, where: string, env: NodeJS.ProcessEnv = process.env): string {
  return text.replace(/\$\(([a-zA-Z_0-9]+)\)/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) {
      throw new StrataError("bad_data", `${where} uses $(${name}), but the environment variable ${name} is not set`);
    }
    return value;
  });
}
