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
export function canvasItem(canvas, { current, open }) {
  const button = document.createElement('button');
  button.type = 'button';
  if (current) button.setAttribute('aria-current', 'true');
  const text = line('span', '', 'text');
  text.append(line('span', canvas.name), line('span', canvas.id ?? 'no id', 'id'));
  const thumbnail = canvas.thumbnail ? picture(canvas.thumbnail, '') : document.createElement('span');
  thumbnail.className = 'thumb';
  button.append(thumbnail, text);
  button.addEventListener('click', open);
  const item = document.createElement('li');
  item.append(button);
  return item;
}

/** Returns an image, which the browser fetches by itself. */
export function picture(url, alt) {
  const image = document.createElement('img');
  image.alt = alt;
  image.src = url;
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

/** Adds an event to the log, marked when its session is not known to be the user's own. */
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
