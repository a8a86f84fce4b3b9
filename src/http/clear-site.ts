// What a browser keeps of the pages behind the gate goes with the session (`logout.clear_site_data`; W3C Clear Site Data).

/** The header's value, undefined where nothing is cleared. */
export function clearSiteDataHeader(kinds: readonly string[]): string | undefined {
  return kinds.length === 0 ? undefined : kinds.map((kind) => `"${kind}"`).join(', ');
}
