const EXTENDED = /\bx(rate|delta|increase)(?=\s*\()/g;

/**
 * An expression in the words of the editor's grammar, which does not know Thanos' extended functions: each becomes the plain
 * one and a space. All places stay, so what is found there can be cut out of `expr` itself.
 */
export const plainFunctions = (expr: string): string => expr.replace(EXTENDED, "$1 ");
