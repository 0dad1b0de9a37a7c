/** One user's canvases: the parts of the page, its state and what its buttons do. */
import { read, send } from '/assets/api.js';
import { addLogLine, canvasItem, line, picture, showChat, showDraft, showNotice } from '/assets/view.js';

export class Studio {
  #element;
  #canvas = '';
  #session = '';
  #sessions = new Set();
  #draft = '';
  #events = 0;

  constructor(element) {
    this.#element = element;
    // Scrolled by keyboard too.
    for (const name of ['chat', 'log']) this.#part(name).tabIndex = 0;
    this.#listen();
  }

  start() {
    this.#connect();
    void this.#attempt(() => this.#loadList());
  }

  #listen() {
    onSubmit(this.#part('new-form'), 'prompt', (prompt) => this.#attempt(() => this.#create(prompt)));
    onSubmit(this.#part('chat-form'), 'prompt', (prompt) => this.#attempt(() => this.#say(prompt)));
    onSubmit(this.#part('foreign-form'), 'canvas', (id) => this.#attempt(() => this.#select(id.trim())));
    onClick(this.#part('reload'), () => this.#attempt(() => this.#loadList()));
    onClick(this.#part('cancel'), () => this.#attempt(() => this.#stop()));
    onClick(this.#part('clear-log'), () => this.#part('log').replaceChildren());
  }

  #part(name) {
    return this.#element.querySelector(`[data-part="${name}"]`);
  }

  /** Runs an action and shows its refusal, if any, in words. */
  async #attempt(action) {
    this.#part('notice').hidden = true;
    try {
      await action();
    } catch (error) {
      showNotice(this.#part('notice'), error);
    }
  }

  #show(canvas, session, title) {
    this.#canvas = canvas;
    this.#session = session;
    this.#draft = '';
    this.#part('board-title').textContent = title;
    this.#part('board-id').textContent = canvas;
  }

  async #loadList() {
    const list = await read('/api/canvas/list');
    const items = list.map((canvas) => {
      const open = () => this.#attempt(() => this.#select(canvas.id));
      return canvasItem(canvas, { current: canvas.id === this.#canvas, open });
    });
    this.#part('canvases').replaceChildren(...(items.length > 0 ? items : [line('li', 'No canvas yet.', 'empty')]));
  }

  async #select(id) {
    const canvas = await read(`/api/canvas/${encodeURIComponent(id)}`);
    const sessions = canvas?.sessions ?? [];
    for (const session of sessions) this.#sessions.add(session.id);
    this.#show(id, sessions[0]?.id ?? '', canvas?.name ?? 'There is no such canvas for this user');
    const files = Object.values(canvas?.data?.files ?? {});
    const pictures = files.map((file) => picture(file.dataURL, 'Generated picture'));
    this.#part('board').replaceChildren(...(pictures.length > 0 ? pictures : [line('p', 'No pictures.', 'empty')]));
    showChat(this.#part('chat'), await this.#history());
    await this.#loadList();
  }

  /** The agent clears the stored thumbnail; the list has one again when a page saves it, as the product's own does. */
  async #keepThumbnail(thumbnail) {
    const path = `/api/canvas/${encodeURIComponent(this.#canvas)}`;
    const canvas = await read(path);
    if (canvas !== null) await send(`${path}/save`, { data: canvas.data, thumbnail });
    await this.#select(this.#canvas);
  }

  async #history() {
    return this.#session === '' ? [] : read(`/api/chat_session/${encodeURIComponent(this.#session)}`);
  }

  async #create(prompt) {
    const [canvas, session] = [randomId(), randomId()];
    this.#sessions.add(session);
    const chat = await this.#chatBody(canvas, session, [{ role: 'user', content: prompt }]);
    await send('/api/canvas/create', { ...chat, name: prompt.slice(0, 60) });
    await this.#select(canvas);
  }

  /** The answer comes when the agent has ended; until then the live events tell. */
  async #say(prompt) {
    if (this.#canvas === '') throw new Error('Select a canvas first.');
    const earlier = await this.#history();
    if (this.#session === '') this.#session = randomId();
    this.#sessions.add(this.#session);
    const messages = [...earlier, { role: 'user', content: prompt }];
    await send('/api/chat', await this.#chatBody(this.#canvas, this.#session, messages));
  }

  async #stop() {
    if (this.#session === '') throw new Error('There is no chat to stop.');
    await send(`/api/cancel/${encodeURIComponent(this.#session)}`, {});
  }

  /** The model's and the tools' entries go back as the lists gave them, as the product's own page does. */
  async #chatBody(canvas, session, messages) {
    const [models, tools] = await Promise.all([read('/api/list_models'), read('/api/list_tools')]);
    const model = models.find(({ type }) => type === 'text') ?? {};
    const ids = { canvas_id: canvas, session_id: session };
    return { ...ids, messages, text_model: model, tool_list: tools, system_prompt: '' };
  }

  #connect() {
    const socket = io({ transports: ['websocket'] });
    const show = (text, on) => {
      this.#part('live-text').textContent = text;
      this.#part('live').classList.toggle('on', on);
    };
    socket.on('connect', () => show('live', true));
    socket.on('disconnect', (reason) => show(`not live: ${reason}`, false));
    socket.on('connect_error', (error) => show(`not live: ${error.message}`, false));
    socket.on('session_update', (event) => this.#receive(event));
  }

  #receive(event) {
    this.#events += 1;
    this.#part('event-count').textContent = String(this.#events);
    addLogLine(this.#part('log'), event, this.#sessions.has(event.session_id));
    if (event.session_id !== this.#session) return;
    if (event.type === 'delta') this.#draft += event.text;
    if (event.type === 'all_messages') {
      this.#draft = '';
      showChat(this.#part('chat'), event.messages);
    }
    if (event.type === 'error') showNotice(this.#part('notice'), { title: 'The agent failed', message: event.error });
    showDraft(this.#part('chat'), this.#draft);
    if (event.type === 'image_generated') void this.#attempt(() => this.#keepThumbnail(event.image_url));
  }
}

function onSubmit(form, field, act) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const value = form.elements[field].value;
    form.reset();
    act(value);
  });
}

function onClick(button, act) {
  button.addEventListener('click', act);
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').slice(0, 21);
}
