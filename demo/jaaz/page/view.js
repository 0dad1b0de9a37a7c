/** How lists, chats, pictures and events look; text only ever goes in as text. */

const LOG_LINES = 200;

/** Returns an element with a text and a class. */
export function line(tag, text, className = '') {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className !== '') element.className = className;
  return element;
}

/** Returns a list item whose button opens the canvas. */
export function canvasItem(canvas, { current, open, api }) {
  const button = document.createElement('button');
  button.type = 'button';
  if (current) button.setAttribute('aria-current', 'true');
  const text = line('span', '', 'text');
  text.append(line('span', canvas.name), line('span', canvas.id ?? 'no id', 'id'));
  const thumbnail = canvas.thumbnail ? picture(canvas.thumbnail, '', api) : document.createElement('span');
  thumbnail.className = 'thumb';
  button.append(thumbnail, text);
  button.addEventListener('click', open);
  const item = document.createElement('li');
  item.append(button);
  return item;
}

/** Returns an image; an `<img>` sends no token, so the file is fetched with it and shown from memory. */
export function picture(url, alt, api) {
  const image = document.createElement('img');
  image.alt = alt;
  if (url.startsWith('data:')) {
    image.src = url;
    return image;
  }
  api.blob(url).then(
    (blob) => {
      image.addEventListener('load', () => URL.revokeObjectURL(image.src), { once: true });
      image.src = URL.createObjectURL(blob);
    },
    (error) => {
      image.alt = `Not shown: ${error.message}`;
    },
  );
  return image;
}

/** Shows a history in place of what was there. */
export function showChat(chat, messages) {
  const lines = messages.filter((message) => textOf(message) !== '').map(chatLine);
  chat.replaceChildren(...(lines.length > 0 ? lines : [line('p', 'No messages.', 'empty')]));
  chat.scrollTop = chat.scrollHeight;
}

/** Shows what the agent is just saying, below the history. */
export function showDraft(chat, draft) {
  chat.querySelector('.draft')?.remove();
  if (draft === '') return;
  chat.append(line('p', draft, 'draft'));
  chat.scrollTop = chat.scrollHeight;
}

function chatLine(message) {
  const paragraph = document.createElement('p');
  paragraph.append(line('span', message.role, 'role'), textOf(message));
  return paragraph;
}

function textOf({ content }) {
  if (typeof content === 'string') return content;
  return (Array.isArray(content) ? content : []).map((item) => item.text ?? '[picture]').join(' ');
}

/** Adds an event to the log, marked when its session is not known to be this column's. */
export function addLogLine(log, event, own) {
  const text = event.text ?? event.error ?? event.name ?? event.image_url ?? event.message?.content ?? '';
  const mark = own ? '' : 'NOT MINE  ';
  const item = line('li', `${mark}${event.type}  ${text}`, own ? '' : 'other');
  item.title = `session ${event.session_id}, canvas ${event.canvas_id}`;
  log.append(item);
  while (log.childElementCount > LOG_LINES) log.firstElementChild.remove();
  log.scrollTop = log.scrollHeight;
}

/** Shows a refusal: what it is called, then why. */
export function showNotice(notice, error) {
  notice.replaceChildren(line('strong', error.title ?? 'That did not work'), error.message);
  notice.hidden = false;
}

/** Returns what the token says of itself; shown only, nothing is decided by it. */
export function describeToken(token) {
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    return `token of ${claims.sub ?? 'nobody'}`;
  } catch {
    return 'token in use';
  }
}
