/** The demo's page: who one is, and one's own canvases, chats, pictures and live events. */
import { read } from '/assets/api.js';
import { Studio } from '/assets/studio.js';

const studio = new Studio(document.querySelector('main'));
void showWho();
studio.start();

/** The server behind knows nobody; a gateway that people log in at says who it is. */
async function showWho() {
  const who = document.querySelector('#who');
  try {
    const { user, roles = [] } = await read('/auth/me');
    who.textContent = roles.length === 0 ? `You are ${user}.` : `You are ${user} (${roles.join(', ')}).`;
    document.querySelector('#account').hidden = false;
  } catch (error) {
    who.textContent = error.status === 401 ? 'You are not logged in.' : 'Nobody has to log in here.';
    document.querySelector('#open-banner').hidden = error.status === 401;
  }
}
