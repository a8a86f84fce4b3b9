// What happens to this page's three connections, in plain words and with the time, as the browser sees it.

function show(id, state, text) {
  const wire = document.getElementById(id);
  if (wire.dataset.state === 'cut' && state !== 'live') return;
  wire.dataset.state = state;
  wire.querySelector('output').textContent = text;
}

function now() {
  const date = new Date();
  return `${date.toLocaleTimeString('en-GB')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

let isLeaving = false;
for (const event of ['beforeunload', 'pagehide']) {
  addEventListener(event, () => {
    isLeaving = true;
  });
}
// A page that the browser had kept comes back without its connections.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());

function cut(id, how) {
  if (isLeaving) return;
  show(id, 'cut', `cut by the gate: ${how} at ${now()}`);
  askAgain();
}

let hasAsked = false;

/** What would this page's next request get? */
async function askAgain() {
  if (hasAsked) return;
  hasAsked = true;
  const answer = await fetch('/', { cache: 'no-store' }).then(
    (response) => `and was answered ${response.status}.`,
    () => 'and got no answer at all.',
  );
  const banner = document.getElementById('ended');
  banner.querySelector('span').textContent = `This page asked once more, ${answer}`;
  banner.hidden = false;
}

function openSocket() {
  const socket = new WebSocket(`ws://${location.host}/websocket`);
  socket.onopen = () => show('websocket', 'live', 'connected');
  socket.onmessage = ({ data }) => show('websocket', 'live', `connected, tick ${data}`);
  socket.onclose = ({ code, reason }) => cut('websocket', `${code} ${reason || 'without a word'}`);
}

function openStream() {
  const stream = new EventSource('/events');
  let tick = 0;
  stream.onopen = () => show('stream', 'live', 'connected');
  stream.onmessage = ({ data }) => {
    tick = data;
    show('stream', 'live', `connected, event ${tick}`);
  };
  // The browser asks again by itself, unless it was refused.
  stream.onerror = () => cut('stream', `broken off after event ${tick}`);
}

async function download() {
  const megabytes = (bytes) => (bytes / 1024 / 1024).toFixed(2);
  let received = 0;
  let length = 0;
  try {
    const response = await fetch('/download', { cache: 'no-store' });
    length = Number(response.headers.get('Content-Length'));
    const reader = response.body.getReader();
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      received += piece.value.length;
      document.querySelector('#download progress').value = (100 * received) / length;
      show('download', 'live', `${megabytes(received)} of ${megabytes(length)} MB`);
    }
    show('download', 'done', `complete, ${megabytes(length)} MB`);
  } catch {
    cut('download', `incomplete, ${megabytes(received)} of ${megabytes(length)} MB,`);
  }
}

openSocket();
openStream();
download();
