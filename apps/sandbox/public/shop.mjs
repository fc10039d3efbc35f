const byId = (id) => document.getElementById(id);
const MAX_QUANTITY = 9;
const money = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });

const stages = {
  placed: { stage: 'working', title: 'One moment', text: 'We are asking for your approval.' },
  waiting: {
    stage: 'working',
    title: 'Approve it on your phone',
    text: 'Have a look at the amount there. Nothing is charged before you say yes.',
  },
  consuming: { stage: 'working', title: 'Approved', text: 'We are taking the payment.' },
  paid: { stage: 'paid', title: 'Paid. Thank you!', text: 'You have approved it, and your parcel is on its way.' },
  denied: { stage: 'refused', title: 'You said no', text: 'Nothing was charged.' },
  expired: { stage: 'refused', title: 'Nobody answered', text: 'The request has expired. Nothing was charged.' },
  cancelled: { stage: 'refused', title: 'Cancelled', text: 'Nothing was charged.' },
  failed: { stage: 'refused', title: 'That did not work', text: 'Nothing was charged.' },
};

const lines = [...document.querySelectorAll('.line')].map(createLine);
let stream = null;

byId('checkout').addEventListener('submit', (event) => {
  event.preventDefault();
  void pay();
});
byId('again').addEventListener('click', showBasket);
byId('cancel').addEventListener('click', () =>
  post(`${orderPath()}/cancel`).catch(() => announce('Please try again.')),
);
showTotals();
// The address remembers the order: a reloaded page goes on where it was.
if (orderPath()) follow();

function createLine(element) {
  element.append(byId('stepper-template').content.cloneNode(true));
  const { sku, priceCents, quantity } = element.dataset;
  const line = { sku, priceCents: Number(priceCents), quantity: Number(quantity), element };
  const name = element.querySelector('h3').textContent;
  for (const [selector, step, words] of [
    ['.less', -1, 'One less'],
    ['.more', 1, 'One more'],
  ]) {
    const button = element.querySelector(selector);
    button.setAttribute('aria-label', `${words}: ${name}`);
    button.addEventListener('click', () => {
      line.quantity = Math.min(MAX_QUANTITY, Math.max(0, line.quantity + step));
      showTotals();
    });
  }
  return line;
}

function showTotals() {
  const count = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const cents = lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
  for (const { element, quantity, priceCents } of lines) {
    element.querySelector('output').textContent = quantity;
    element.querySelector('.price').textContent = money.format((quantity * priceCents) / 100);
  }
  for (const element of document.querySelectorAll('[data-total]')) element.textContent = money.format(cents / 100);
  byId('count').textContent = count === 1 ? '1 item' : `${count} items`;
  byId('pay').setAttribute('aria-disabled', String(count === 0));
}

async function pay() {
  if (byId('pay').getAttribute('aria-disabled') === 'true') return;
  byId('pay').setAttribute('aria-disabled', 'true');
  byId('checkout-fault').hidden = true;
  try {
    const basket = lines.filter(({ quantity }) => quantity > 0).map(({ sku, quantity }) => ({ sku, quantity }));
    const order = await post('/shop/orders', { email: new FormData(byId('checkout')).get('email'), lines: basket });
    location.hash = `order=${order.id}`;
    show(order);
    byId('progress-title').focus();
    follow();
  } catch {
    byId('checkout-fault').hidden = false;
    byId('checkout-fault').textContent = 'The order did not get through. Please try again.';
  } finally {
    showTotals();
  }
}

function follow() {
  stream?.close();
  stream = new EventSource(`${orderPath()}/events`);
  stream.addEventListener('message', ({ data }) => show(JSON.parse(data)));
  stream.addEventListener('error', () => {
    // A closed stream means that there is no such order (any more); a cut one reconnects by itself.
    if (stream?.readyState === EventSource.CLOSED) showBasket();
  });
}

function show(order) {
  const { stage, title, text } = stages[order.status];
  byId('basket').inert = true;
  byId('checkout').hidden = true;
  byId('progress').hidden = false;
  byId('order-number').textContent = order.number;
  byId('stage').dataset.stage = stage;
  if (byId('progress-title').textContent !== title) announce(`${title}. ${text}`);
  byId('progress-title').textContent = title;
  byId('progress-text').textContent = order.problem ? `${text} ${order.problem}` : text;
  byId('progress-amount').textContent = money.format(Number.parseFloat(order.amount));
  byId('phone-link').href = order.phonePath;
  const hadFocus = document.activeElement === byId('cancel') || document.activeElement === byId('phone-link');
  byId('phone-link').hidden = order.status !== 'waiting';
  byId('cancel').hidden = order.status !== 'waiting';
  byId('again').hidden = !order.over;
  if (order.over) {
    stream?.close();
    if (hadFocus) byId('progress-title').focus();
  }
}

function showBasket() {
  stream?.close();
  history.replaceState(null, '', location.pathname);
  byId('progress').hidden = true;
  byId('checkout').hidden = false;
  byId('basket').inert = false;
  byId('pay').focus();
}

function orderPath() {
  const id = new URLSearchParams(location.hash.slice(1)).get('order');
  return id ? `/shop/orders/${encodeURIComponent(id)}` : null;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}

function announce(text) {
  byId('announcement').textContent = text;
}
