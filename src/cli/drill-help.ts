// What `portcullis drill --help` says.

export const DRILL_HELP = `portcullis drill --user NAME [options]

Signs a test user in at your gate, through your provider's own form, opens the connections you name, has the session
ended, and reports how long they lived on. Run it where the gate and the provider can be reached. Exit code 0: cut as
promised; 1: something was not, or the drill could not go on; 2: usage.

  --user NAME          the test user: one with a password and nothing else to do at sign-in. The password comes from
                       $DRILL_PASSWORD, from --password-file FILE, or is asked for; it is never an argument
  --path PATH          a page that needs a sign-in (default /); afterwards it must be refused
  --websocket PATH     opened and held until they are cut; each may be given several times, and what ends by itself
  --stream PATH        before the session does is a problem. Without one of them the drill only looks at what comes
  --download PATH      next, and reports no time to stop and to close
  --trigger NAME       what ends the session, several times for several, or "all" for what is possible; each signs in anew
      logout-elsewhere      the user logs out at the provider (the default without an administrator)
      logout-here           the user logs out at the gate
      admin-sign-out        Keycloak's administrator signs the session out (the default with one)
      admin-sign-out-user   ... signs the user out: every session of the test user
      admin-sign-out-all    ... signs out all sessions of the realm: everybody's, so only with --everybody
      admin-revocation      ... revokes the tokens of the gate's client: likewise
  --everybody          agree to the two that end everybody's sessions
  --within TIME        how long after the answer a connection may still be open (default 5s)
  --again-after TIME   when, after the answer, the old cookie is tried a second time (default 5s)
  --url ORIGIN         which public_url, where there are several (default the first)
  --admin-url URL      the gate's admin listener, for its own account of the end (default: as configured)
  --ca-file FILE       an authority (PEM) to believe besides the system's and provider.ca_file
  --json               one JSON document, times in milliseconds

Keycloak's administrator: KEYCLOAK_ADMIN and KEYCLOAK_ADMIN_PASSWORD, or KEYCLOAK_ADMIN_CLIENT_ID and
KEYCLOAK_ADMIN_CLIENT_SECRET for a client with a service account; of the realm KEYCLOAK_ADMIN_REALM (default master), at
KEYCLOAK_ADMIN_URL (default: where the issuer is). Needed are view-users and manage-users, for the revocation
manage-clients and view-clients.

What is measured. Everything is seen from outside, from the moment the end is asked for: "stop" is when the last byte of
the application came over any of the connections, "close" when the last of them was closed, and the answer is that of
whoever ended the session. Keycloak answers after it has told the gate and every other application, so stop and close
contain its own time and the network's. A byte later than 250 ms after the answer is a problem. The gate's own account,
from its metrics, counts from the last byte of the notice; where others log out meanwhile it is the mean of all.`;
