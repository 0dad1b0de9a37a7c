/** The demo's page: the same lists, chats and live events as two users see them, side by side. */
import { Column } from '/assets/column.js';

const PEOPLE = [
  { key: 'alice', name: 'Alice' },
  { key: 'bob', name: 'Bob' },
];

takeTokensFromAddress();
const columns = PEOPLE.map((person) => new Column(person, showBanner));
document.querySelector('#columns').append(...columns.map((column) => column.element));
for (const column of columns) column.start();

/** Tokens arrive as `#alice=…&bob=…`; they move to this tab's storage and out of the address bar and the history. */
function takeTokensFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const { key } of PEOPLE) {
    const token = given.get(key);
    if (token) sessionStorage.setItem(`token:${key}`, token);
  }
  if (location.hash !== '') history.replaceState(null, '', location.pathname + location.search);
}

function showBanner() {
  const missing = PEOPLE.some(({ key }) => !sessionStorage.getItem(`token:${key}`));
  document.querySelector('#open-banner').hidden = !missing;
}
