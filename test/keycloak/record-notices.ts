// Records what each Keycloak really sends when sessions end, with the public keys of the realm, into test/fixtures/keycloak:
// npm run record:notices [version…]. `npm test` replays them where there is no Java.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIXTURES, type RecordedNotice, type Recording } from '../support/recorded-notices.ts';
import { CURRENT_KEYCLOAK, type KeycloakVersion, OLDER_KEYCLOAKS } from './keycloak-distribution.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { NoticeScene, type SceneOptions } from './notice-scene.ts';

interface Script {
  readonly options: SceneOptions;
  /** What is done in Keycloak, each with a user who has just signed in; the notice that follows is recorded. */
  readonly acts: readonly Act[];
}

interface Act {
  readonly title: string;
  do(scene: NoticeScene, sid: string): Promise<unknown>;
}

const signOutSession = (title = 'an administrator signs one session out'): Act => ({
  title,
  do: ({ keycloak, realm }, sid) => keycloak.admin.deleteSession(realm, sid),
});

const SCRIPTS: readonly Script[] = [
  {
    options: { receives: 'logout tokens' },
    acts: [
      signOutSession(),
      { title: 'the user signs out at another application', do: (scene) => scene.signOutAtSecondApp() },
    ],
  },
  {
    options: { receives: 'logout tokens', noticeNames: 'user' },
    acts: [signOutSession('an administrator signs one session out, and notices name only the user')],
  },
  {
    options: { receives: 'logout tokens', attributes: { 'backchannel.logout.revoke.offline.tokens': 'true' } },
    acts: [signOutSession('an administrator signs one session out, and notices speak of offline tokens')],
  },
  {
    options: { receives: 'admin actions' },
    acts: [
      {
        title: 'an administrator tests the cluster nodes',
        do: ({ keycloak, realm }) => keycloak.admin.testNodes(realm, 'gate'),
      },
      {
        title: 'an administrator pushes a revocation that was never set',
        do: ({ keycloak, realm }) => keycloak.admin.pushRevocation(realm),
      },
      signOutSession(),
      {
        title: 'an administrator pushes a revocation',
        do: async ({ keycloak, realm }) => {
          await keycloak.admin.changeRealm(realm, { notBefore: Math.floor(Date.now() / 1000) });
          await keycloak.admin.pushRevocation(realm);
        },
      },
      {
        title: 'an administrator signs out all active sessions',
        do: ({ keycloak, realm }) => keycloak.admin.logoutAll(realm),
      },
    ],
  },
  {
    options: { receives: 'front-channel requests' },
    acts: [{ title: 'the user signs out at another application', do: (scene) => scene.signOutAtSecondApp() }],
  },
];

async function record(version: KeycloakVersion): Promise<Recording> {
  const keycloak = await KeycloakServer.start({ version });
  const notices: RecordedNotice[] = [];
  const keys: Record<string, Recording['keys'][string]> = {};
  try {
    for (const { options, acts } of SCRIPTS) {
      const scene = await NoticeScene.set(keycloak, options);
      keys[scene.issuer] = await scene.keys();
      for (const act of acts) {
        const session = await scene.signIn();
        const received = scene.nextNotice();
        await act.do(scene, session.sid);
        notices.push({ title: act.title, issuer: scene.issuer, session, ...(await received) });
      }
      await scene.close();
    }
  } finally {
    await keycloak.stop();
  }
  return { version, clientId: 'gate', keys, notices };
}

const known: readonly KeycloakVersion[] = [CURRENT_KEYCLOAK, ...OLDER_KEYCLOAKS];
const asked = process.argv.slice(2);
const unknown = asked.filter((version) => !known.some((each) => each === version));
if (unknown.length > 0) throw new Error(`no Keycloak ${unknown.join(', ')} here; there are ${known.join(', ')}`);
mkdirSync(FIXTURES, { recursive: true });
for (const version of known.filter((each) => asked.length === 0 || asked.includes(each))) {
  const recording = await record(version);
  writeFileSync(join(FIXTURES, `${version}.json`), `${JSON.stringify(recording, null, 2)}\n`);
  console.log(`${version}: ${recording.notices.length} notices`);
}
