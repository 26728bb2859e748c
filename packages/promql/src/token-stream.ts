import type {Position} from "./ast.ts";
import {Lexer} from "./lexer.ts";
import {SyntaxFault} from "./parse-error.ts";
import {describeToken, type Token, type TokenType} from "./token.ts";

/**
 * How high a tree may be. Everything that walks it recurses, so this keeps a hostile query from overflowing the stack.
 * Chains such as `a + b + …` reach it term by term; queries that people write stay under a hundred.
 */
export const MAX_DEPTH = 1000;

/** How deep parentheses, calls and signs may nest: each level costs the parser several frames of its stack. */
export const MAX_NESTING = 400;

/** What a syntax error says besides the unexpected token. */
type Expectation = {readonly context: string; readonly expected: string};

/**
 * One token of look-ahead over the lexer, and the stack of contexts that makes errors speak: the innermost open
 * construct that has an opinion says what it expected, as the error productions of Prometheus' grammar do.
 */
export class TokenStream {
  readonly #lexer: Lexer;
  #ahead: Token | undefined;
  readonly #expectations: Expectation[] = [];
  #depth = 0;
  /** Heights of the trees built so far; leaves are not in it. */
  readonly #heights = new WeakMap<object, number>();
  #lastEnd = 0;

  constructor(source: string) {
    this.#lexer = new Lexer(source);
  }

  peek(): Token {
    this.#ahead ??= this.#lexer.next();
    return this.#ahead;
  }

  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    this.#lastEnd = token.end;
    return token;
  }

  /** Where the token taken last ended. */
  get lastEnd(): number {
    return this.#lastEnd;
  }

  at(type: TokenType): boolean {
    return this.peek().type === type;
  }

  accept(type: TokenType): Token | undefined {
    return this.at(type) ? this.take() : undefined;
  }

  /** The next token, which has to be a `type`, else the error of the context at hand. */
  expect(type: TokenType): Token {
    return this.at(type) ? this.take() : this.unexpected();
  }

  /** Runs `parse` with errors that name `context` and what was `expected` there. */
  within<T>(context: string, expected: string, parse: () => T): T {
    this.#expectations.push({context, expected});
    const result = parse();
    this.#expectations.pop();
    return result;
  }

  /** Changes what the innermost context expects, as parsing moves on inside it. */
  expecting(context: string, expected: string): void {
    this.#expectations[this.#expectations.length - 1] = {context, expected};
  }

  /** Runs `parse` one level deeper, or refuses. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_NESTING) tooDeep(this.peek(), MAX_NESTING);
    const result = parse();
    this.#depth--;
    return result;
  }

  /** Takes note of a new node above `children` (chains of operators grow without recursion), or refuses. */
  built<T extends {readonly pos: Position}>(node: T, ...children: readonly (object | undefined)[]): T {
    let height = 1;
    for (const child of children) {
      if (child !== undefined) height = Math.max(height, 1 + (this.#heights.get(child) ?? 1));
    }
    if (height > MAX_DEPTH) tooDeep(node.pos, MAX_DEPTH);
    this.#heights.set(node, height);
    return node;
  }

  /** The syntax error for the next token. */
  unexpected(): never {
    const token = this.peek();
    const {context, expected} = this.#expectations.at(-1) ?? {context: "", expected: ""};
    const inContext = context === "" ? "" : ` in ${context}`;
    return fail(
      token,
      `unexpected ${describeToken(token)}${inContext}${expected === "" ? "" : `, expected ${expected}`}`,
    );
  }
}

const tooDeep = (pos: Position, levels: number): never => fail(pos, `expression nests deeper than ${levels} levels`);

export function fail(pos: Position, message: string): never {
  throw new SyntaxFault({start: pos.start, end: pos.end}, message);
}
