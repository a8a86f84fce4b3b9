// What asking the provider about a session came to.

/**
 * `unanswered`: a refresh whose answer did not come, so that nobody here knows whether the provider has used the token up;
 * `unavailable`: a probe without an answer, which leaves everything as it was.
 */
export type Proof = 'proven' | 'ended' | 'unanswered' | 'unavailable';
