/**
 * A tournament over k inputs: `winner` is the input with the smallest head, and replaying after its head changed costs
 * log2(k) comparisons. Ties go to the lower input number, so the merge is stable.
 */
export class LoserTree {
  /** Inner nodes 1..k-1 hold the loser of the match played there; node 0 the overall winner. */
  readonly #nodes: Int32Array;
  readonly #size: number;
  /** Negative when the head of input `a` comes before that of `b`; both may be exhausted, which sorts last. */
  readonly #compare: (a: number, b: number) => number;

  constructor(size: number, compare: (a: number, b: number) => number) {
    this.#size = size;
    this.#compare = compare;
    this.#nodes = new Int32Array(Math.max(size, 1));
    this.playAll();
  }

  get winner(): number {
    return this.#nodes[0]!;
  }

  /** Plays all matches again; call it after heads of others than the winner changed. */
  playAll(): void {
    this.#nodes[0] = this.#size > 1 ? this.#play(1) : 0;
  }

  /** Plays the winner's matches again; call it after the winner's head changed. */
  replay(): void {
    let winner = this.#nodes[0]!;
    for (let node = (winner + this.#size) >> 1; node > 0; node >>= 1) {
      const loser = this.#nodes[node]!;
      if (this.#before(loser, winner)) {
        this.#nodes[node] = winner;
        winner = loser;
      }
    }
    this.#nodes[0] = winner;
  }

  /** Plays all matches below `node`; leaves are the nodes k..2k-1. Returns the winner. */
  #play(node: number): number {
    if (node >= this.#size) return node - this.#size;
    const left = this.#play(2 * node);
    const right = this.#play(2 * node + 1);
    const rightWins = this.#before(right, left);
    this.#nodes[node] = rightWins ? left : right;
    return rightWins ? right : left;
  }

  #before(a: number, b: number): boolean {
    const c = this.#compare(a, b);
    return c < 0 || (c === 0 && a < b);
  }
}
