// What a route's configuration says of its application's logout (design: config.md, `routes[].logout`).

/** One per route and snapshot. */
export interface AppLogoutRules {
  readonly route: string;
  /** Whether a request target is the application's logout, in any spelling. */
  isLogoutPath(target: string): boolean;
  /** The same of what no application can take for anything else. */
  isLogoutOnly(target: string): boolean;
  /** Flat pairs for an answer of the application after which its user's browser has no session any more. */
  readonly farewellHeaders: readonly string[];
  /** The application's logout header says neither of its two words; the log hears of it once. */
  tellUnknownWord(): void;
}
