import {snappyEncode} from "@strata/bytes";
import {prompb} from "@strata/proto";
import {labelsOf, sampleOf} from "./write-load.ts";

/** Any time of which a varint has six bytes, as those of our days have. */
const SOME_TIME = 1_700_000_000_000;

/**
 * Requests of remote write 1.0 over many series: encoded once, then only times and values are put in. Encoding them anew
 * would take longer than receiving them.
 */
export class WriteTemplates {
  readonly samples: number;
  readonly #messages: readonly Buffer[];
  /** Where the value of each sample stands, by message; its time is nine bytes further on. */
  readonly #places: readonly Uint32Array[];
  readonly #perRequest: number;

  constructor(series: number, perRequest: number) {
    const messages: Buffer[] = [];
    const places: Uint32Array[] = [];
    for (let from = 0; from < series; from += perRequest) {
      const to = Math.min(series, from + perRequest);
      const fields = Array.from({length: to - from}, (_, k) =>
        prompb.WriteRequest.encode({
          timeseries: [
            {
              labels: labelsOf(from + k).map(([name, value]) => ({name, value})),
              samples: [{value: 1.5, timestamp: SOME_TIME}],
            },
          ],
        }),
      );
      let end = 0;
      places.push(
        Uint32Array.from(fields, (field) => {
          end += field.length;
          return end - TIME_BYTES - 1 - 8;
        }),
      );
      messages.push(Buffer.concat(fields));
    }
    this.#messages = messages;
    this.#places = places;
    this.#perRequest = perRequest;
    this.samples = series;
  }

  /** Requests that are a round over all series. */
  get requests(): number {
    return this.#messages.length;
  }

  /** The body of a request in a round at time `t` (ms). */
  body(request: number, round: number, t: number): Uint8Array {
    const message = this.#messages[request] as Buffer;
    const places = this.#places[request] as Uint32Array;
    const first = request * this.#perRequest;
    for (let k = 0; k < places.length; k++) {
      const at = places[k] as number;
      message.writeDoubleLE(sampleOf(first + k, round), at);
      let rest = t + ((first + k) % 1000);
      for (let b = 0; b < TIME_BYTES; b++) {
        message[at + 9 + b] = (rest % 128) | (b < TIME_BYTES - 1 ? 0x80 : 0);
        rest = Math.floor(rest / 128);
      }
    }
    return snappyEncode(message);
  }
}

const TIME_BYTES = 6;
