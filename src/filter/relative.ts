/**
 * Makes the upstream's absolute URLs of itself relative in an answer that streams: a chat's history holds megabytes of
 * pictures, and is not read whole for the sake of a few addresses.
 */
import { absolutePart } from '../model/relative-urls.ts';
import type { BodySink, BodySource } from '../model/response.ts';

/** `https://localhost:65535`, and more. With the path that must follow, the longest thing that a chunk may cut in two. */
const LONGEST_ORIGIN = 32;

/** Returns a source with the same bytes, less the origins before these paths. The texts are ASCII, so bytes are enough. */
export const relativeBody = (body: BodySource, paths: readonly string[]): BodySource => {
  const pattern = absolutePart(paths);
  const held = LONGEST_ORIGIN + Math.max(...paths.map((path) => path.length));
  // Latin-1 keeps each byte as one character, and finds the ASCII that is looked for.
  const rewrite = (text: string): string => (text.includes('://') ? text.replace(pattern, '') : text);

  return {
    whole() {
      const ready = body.whole();
      return ready === undefined ? undefined : Buffer.from(rewrite(ready.toString('latin1')), 'latin1');
    },
    pipe(sink: BodySink) {
      let tail = '';
      body.pipe({
        write(chunk) {
          const text = rewrite(tail + chunk.toString('latin1'));
          const cut = Math.max(0, text.length - held);
          tail = text.slice(cut);
          return cut === 0 || sink.write(Buffer.from(text.slice(0, cut), 'latin1'));
        },
        end() {
          if (tail !== '') sink.write(Buffer.from(rewrite(tail), 'latin1'));
          sink.end();
        },
        fail: (cause) => sink.fail(cause),
      });
    },
    resume: () => body.resume(),
    abort: () => body.abort(),
  };
};
