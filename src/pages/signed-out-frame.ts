// What stands in the provider's frame after a front-channel logout: nobody sees it, and only the provider may frame it
// (OpenID Connect Front-Channel Logout 1.0 section 2).

const PAGE =
  '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Signed out</title></head>\n</html>\n';

/** The page and its Content-Security-Policy. `providerOrigin` as URL.origin writes it. */
export function signedOutFrame(providerOrigin: string): { page: string; policy: string } {
  return { page: PAGE, policy: `default-src 'none'; frame-ancestors ${providerOrigin}` };
}
