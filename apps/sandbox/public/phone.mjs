import { createCard } from './phone-card.mjs';

const byId = (id) => document.getElementById(id);
const cards = new Map();
let latest = [];

const initial = document.querySelector('[data-initial]');
initial.textContent = initial.dataset.who.slice(0, 1);

const title = document.title;
const stream = new EventSource(`${location.pathname.replace(/\/$/, '')}/events`);
stream.addEventListener('open', () => showLine('live', 'Live'));
stream.addEventListener('error', () => showLine('away', 'Reconnecting'));
stream.addEventListener('message', ({ data }) => show(JSON.parse(data)));
setInterval(() => cards.forEach((card) => card.tick()), 250);

function showLine(state, text) {
  byId('line-state').dataset.state = state;
  byId('line-state').textContent = text;
}

function show({ waiting, waitingUnshown, recent }) {
  const ids = new Set(waiting.map(({ id }) => id));
  for (const [id, card] of cards) {
    if (!ids.has(id)) card.gone(recent.find((answered) => answered.id === id)?.answer ?? null);
  }
  for (const request of waiting) {
    const card = cards.get(request.id) ?? addCard(request);
    card.update(request);
  }
  byId('unshown').hidden = waitingUnshown === 0;
  byId('unshown').textContent = `and ${waitingUnshown} more, shown when these are answered`;
  latest = recent;
  showRecent();
  showCounts();
}

function addCard(request) {
  const card = createCard(request, { announce, onChange: showCounts, onDone: () => removeCard(request.id) });
  cards.set(request.id, card);
  byId('cards').append(card.element);
  announce(`${request.clientName} asks for your approval: ${request.bindingMessage ?? 'no details given'}`);
  return card;
}

function removeCard(id) {
  const card = cards.get(id);
  cards.delete(id);
  card.element.remove();
  showRecent();
  showCounts();
  const next = [...cards.values()].find((candidate) => candidate.isAsking());
  (next ? next.element.querySelector('.button-yes') : byId('quiet-title')).focus();
}

/** An answer joins the list when its card has been put away. */
function showRecent() {
  const recent = latest.filter(({ id }) => !cards.has(id));
  byId('recent').hidden = recent.length === 0;
  byId('recent-list').replaceChildren(...recent.map(recentLine));
}

function recentLine({ clientName, bindingMessage, answer, secondsAgo }) {
  const line = byId('recent-template').content.cloneNode(true);
  line.querySelector('.recent-what').textContent = bindingMessage ?? 'No details were given';
  line.querySelector('.recent-who').textContent = `${clientName} · ${howLongAgo(secondsAgo)}`;
  const mark = line.querySelector('.recent-answer');
  mark.dataset.answer = answer;
  mark.textContent = answer === 'approved' ? 'Approved' : 'Denied';
  return line;
}

function howLongAgo(seconds) {
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : 'earlier';
}

function showCounts() {
  const asking = [...cards.values()].filter((card) => card.isAsking()).length;
  byId('waiting').hidden = cards.size === 0;
  byId('quiet').hidden = cards.size > 0;
  byId('waiting-title').textContent = titleFor(asking);
  document.title = asking > 0 ? `(${asking}) ${title}` : title;
}

function titleFor(asking) {
  if (asking === 0) return 'Your answer';
  return asking === 1 ? 'Waiting for you' : `${asking} requests are waiting for you`;
}

function announce(text) {
  byId('announcement').textContent = text;
}
