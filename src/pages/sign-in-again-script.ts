// The script at <prefix>/sign-in-again.js, as browsers get it: for pages that fetch, and hold what their user has typed. It asks
// the user to sign in again in another window and waits until <prefix>/session says so; no token passes through it, it writes no
// markup and no style element, so that `script-src 'self'` is all it needs.

export const signInAgainScript = `(() => {
  'use strict';
  const gate = new URL('.', document.currentScript.src).pathname;
  const signInUrl = gate + 'login?return_to=' +
    encodeURIComponent(gate + 'signed-in?page=' + encodeURIComponent(location.pathname));

  // Set on the elements themselves, which every Content-Security-Policy allows.
  const DIALOG_STYLE = {
    maxWidth: '26rem', padding: '1.5rem 1.75rem', border: '1px solid #dcd6c9', borderTop: '3px solid #2c4350',
    borderRadius: '2px 2px 8px 8px', background: '#fffdf8', color: '#1d2429', font: '16px/1.5 system-ui, sans-serif',
  };
  const BUTTON_STYLE = {
    padding: '.5rem 1.1rem', border: '1px solid #2c4350', borderRadius: '4px', font: 'inherit', fontWeight: '600', cursor: 'pointer',
  };

  const OTHER_USER = 'Somebody else has signed in. Load this page again to go on as that user.';
  const UNKNOWN_USER = 'You are signed in. Whose page this is could not be found out when it was loaded, so nothing is sent: load it again.';

  // Who is signed in: { user: { sub }, recheck_needed }, as far as there is anybody.
  async function session() {
    const answer = await fetch(gate + 'session', { cache: 'no-store', credentials: 'same-origin' });
    return answer.ok ? answer.json() : {};
  }

  const pageUser = session().then(({ user }) => user?.sub).catch(() => undefined);

  // The sub of whoever is signed in, and need not be confirmed first.
  async function signedInUser() {
    const { user, recheck_needed } = await session();
    return recheck_needed ? undefined : user?.sub;
  }

  let asking;

  function ask() {
    return new Promise((resolve) => {
      const dialog = document.createElement('dialog');
      const text = document.createElement('p');
      const signIn = document.createElement('button');
      const later = document.createElement('button');
      let signInWindow;
      text.textContent = 'Your session has ended. What you typed is still here: sign in again, and go on.';
      signIn.textContent = 'Sign in again';
      later.textContent = 'Not now';
      signIn.type = later.type = 'button';
      Object.assign(dialog.style, DIALOG_STYLE);
      Object.assign(text.style, { margin: '0 0 1.25rem' });
      Object.assign(signIn.style, BUTTON_STYLE, { background: '#2c4350', color: '#fffdf8' });
      Object.assign(later.style, BUTTON_STYLE, { background: 'none', color: '#2c4350', marginInlineStart: '.75rem' });
      dialog.append(text, signIn, later);
      const end = (outcome) => {
        clearInterval(timer);
        dialog.remove();
        resolve(outcome);
      };
      const look = async () => {
        const [before, now] = await Promise.all([pageUser, signedInUser().catch(() => undefined)]);
        if (now === undefined || !dialog.isConnected) return;
        signInWindow?.close();
        if (before !== undefined && now === before) return end(true);
        clearInterval(timer);
        text.textContent = before === undefined ? UNKNOWN_USER : OTHER_USER;
        signIn.remove();
        later.textContent = 'Close';
      };
      const timer = setInterval(look, 1000);
      signIn.addEventListener('click', () => {
        signInWindow = window.open(signInUrl, 'portcullis-sign-in', 'popup,width=520,height=720');
      });
      later.addEventListener('click', () => end(false));
      dialog.addEventListener('cancel', () => end(false));
      document.body.append(dialog);
      dialog.showModal();
    });
  }

  window.portcullis = {
    // Asks the user, once for all callers; true when the same user is signed in again, false otherwise.
    signInAgain() {
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    // fetch, and once more after the user has signed in again.
    async fetch(resource, options) {
      const again = resource instanceof Request ? resource.clone() : resource;
      const answer = await fetch(resource, options);
      const challenge = answer.headers.get('WWW-Authenticate') ?? '';
      // A stronger sign-in that is needed is not the end of the session.
      const isOver = challenge.includes('Portcullis') && !challenge.includes('insufficient_user_authentication');
      if (answer.status !== 401 || !isOver) return answer;
      return (await window.portcullis.signInAgain()) ? fetch(again, options) : answer;
    },
  };
})();
`;
