// A value that is usually at hand. The path of a signed-in request must not pay for a promise it does not need.

export type MaybePromise<T> = T | Promise<T>;
