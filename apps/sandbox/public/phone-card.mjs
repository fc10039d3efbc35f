const scopeWords = new Map([
  ['openid', 'know that it is you'],
  ['payments', 'make this payment'],
  ['accounts', 'see your accounts'],
  ['profile', 'see your name'],
  ['email', 'see your e-mail address'],
  ['offline_access', 'keep this access while you are away'],
]);

const badgeColours = ['#16324f', '#7a3b2e', '#39573f', '#5a3f78', '#2b5d6b', '#7b5a12'];
const LONG_MESSAGE = 90;
const HURRY_SECONDS = 20;

const outcomes = {
  approved: { title: 'Approved', text: (who) => `${who} can go ahead.` },
  denied: { title: 'Denied', text: (who) => `${who} has been told no. Nothing happens.` },
  expired: { title: 'Too late', text: (who) => `The request of ${who} has expired. Nothing happens.` },
  elsewhere: { title: 'Already answered', text: () => 'This request was answered somewhere else.' },
};

/** One request: first a question with two buttons, then what came of it. */
export function createCard(request, { announce, onChange, onDone }) {
  const element = document.getElementById('card-template').content.cloneNode(true).querySelector('.card');
  const find = (selector) => element.querySelector(selector);
  const buttons = [find('.button-yes'), find('.button-no')];
  let state = 'asking';
  let deadlineMs = 0;

  fillQuestion(find, request);
  find('.button-yes').addEventListener('click', () => answer('approve', 'approved'));
  find('.button-no').addEventListener('click', () => answer('deny', 'denied'));
  find('.button-done').addEventListener('click', onDone);

  async function answer(action, outcome) {
    if (state !== 'asking') return;
    state = 'sending';
    setBusy(true);
    find('.fault').hidden = true;
    try {
      const reply = await fetch(`/phone/requests/${encodeURIComponent(request.id)}/${action}`, { method: 'POST' });
      if (reply.ok) return conclude(outcome);
      const { code } = await reply.json();
      if (code === 'expired') return conclude('expired');
      if (reply.status === 409 || reply.status === 404) return conclude('elsewhere');
      throw new Error(code);
    } catch {
      state = 'asking';
      setBusy(false);
      find('.fault').hidden = false;
      find('.fault').textContent = 'Your answer did not get through. Please try again.';
    }
  }

  function setBusy(busy) {
    // Not `disabled`: a disabled button would lose the keyboard focus.
    for (const button of buttons) button.setAttribute('aria-disabled', String(busy));
  }

  function conclude(outcome) {
    if (state === 'over') return;
    const hadFocus = element.contains(document.activeElement);
    state = 'over';
    const { title, text } = outcomes[outcome];
    element.dataset.outcome = outcome;
    find('.outcome h3').textContent = title;
    find('.outcome-text').textContent = text(request.clientName);
    find('.outcome-message').textContent = request.bindingMessage ?? '';
    find('.outcome-message').hidden = request.bindingMessage === null;
    find('.question').hidden = true;
    find('.outcome').hidden = false;
    if (hadFocus) find('.button-done').focus();
    announce(`${title}. ${text(request.clientName)}`);
    onChange();
  }

  return {
    element,
    isAsking: () => state !== 'over',
    update({ secondsLeft }) {
      deadlineMs = performance.now() + secondsLeft * 1000;
      this.tick();
    },
    /** It has left the phone: answered by a script or in another window, or its time is over. */
    gone(answered) {
      if (state === 'asking') conclude(answered ?? (deadlineMs <= performance.now() + 1000 ? 'expired' : 'elsewhere'));
    },
    tick() {
      if (state !== 'asking') return;
      const seconds = Math.max(0, Math.ceil((deadlineMs - performance.now()) / 1000));
      element.dataset.hurry = String(seconds <= HURRY_SECONDS);
      const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
      if (find('.time-left').textContent !== clock) find('.time-left').textContent = clock;
      if (seconds === 0) conclude('expired');
    },
  };
}

function fillQuestion(find, { id, clientName, bindingMessage, scopes }) {
  find('.badge').textContent = initials(clientName);
  find('.badge').style.backgroundColor = badgeColours[hash(clientName) % badgeColours.length];
  find('.asker h3').textContent = clientName;
  find('.time-left').setAttribute('aria-label', 'Time left');
  const message = find('.message');
  message.id = `message-${id}`;
  message.textContent = bindingMessage ?? 'It has given no details. Deny it unless you know what it is about.';
  message.dataset.length = bindingMessage === null ? 'none' : bindingMessage.length > LONG_MESSAGE ? 'long' : 'short';
  for (const button of [find('.button-yes'), find('.button-no')]) button.setAttribute('aria-describedby', message.id);
  find('.allows ul').replaceChildren(
    ...scopes.map((scope) => {
      const line = document.createElement('li');
      line.textContent = scopeWords.get(scope) ?? `use “${scope}”`;
      return line;
    }),
  );
}

function initials(name) {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  return words
    .slice(0, 2)
    .map((word) => [...word][0].toUpperCase())
    .join('');
}

function hash(text) {
  return [...text].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) >>> 0, 7);
}
