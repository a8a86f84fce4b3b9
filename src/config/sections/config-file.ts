// The whole file (design/config.md).

import { byDefault, type DraftOf, required, type WholeOf } from '../kind.ts';
import { ownPrefix } from '../kinds/paths.ts';
import { list, oneOrMany, section } from '../kinds/structures.ts';
import { publicOrigin } from '../kinds/urls.ts';
import { logoutSection, logSection } from './logout-section.ts';
import { providerSection } from './provider-section.ts';
import { routeSection } from './route-section.ts';
import { adminSection, serverSection } from './server-section.ts';
import { sessionSection } from './session-section.ts';

export const configFile = section({
  public_url: required(
    oneOrMany(publicOrigin, 'origins'),
    'The origin that users type, or a list of all that are served; the first is the default',
  ),
  proxy_prefix: byDefault(ownPrefix, '/_gate', "Where the gate's own paths stand"),
  server: byDefault(serverSection, {}, 'The listener for users'),
  admin: byDefault(adminSection, {}, "The listener for operators: health, metrics, API, and the provider's notices"),
  provider: required(providerSection, 'The OpenID provider'),
  session: required(sessionSection, 'Sessions, their cookie and their store'),
  logout: byDefault(logoutSection, {}, 'What happens at logout'),
  routes: required(
    list(routeSection, { expected: 'routes, each with an upstream', nonEmpty: true }),
    'What is protected',
  ),
  log: byDefault(logSection, {}, 'The log'),
});

/** The file as it was written, with its defaults. */
export type ConfigFile = WholeOf<typeof configFile>;
/** The same with holes where something was wrong. */
export type ConfigDraft = DraftOf<typeof configFile>;
export type RouteDraft = NonNullable<NonNullable<ConfigDraft['routes']>[number]>;
