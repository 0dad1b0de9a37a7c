/** Pictures without an imaging library: one small PNG per run, and a look at the first bytes in place of Pillow. */
import { createHash, randomBytes } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

export interface Size {
  readonly width: number;
  readonly height: number;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const DRAWN: Size = { width: 192, height: 128 };

/** Returns a random id of nanoid's alphabet, 6 bits a character. */
export function nanoid(length: number): string {
  return Array.from(randomBytes(length), (byte) => ALPHABET[byte & 63]).join('');
}

/** Returns a PNG whose colours follow from the seed, with the texts in its chunks (contract section 6, last paragraph). */
export function drawPng(seed: string, texts: Readonly<Record<string, string>>): Buffer {
  const { width, height } = DRAWN;
  const [red = 0, green = 0, blue = 0, bend = 0] = createHash('sha256').update(seed).digest();
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0, at = 0; y < height; y += 1) {
    rows[at++] = 0;
    for (let x = 0; x < width; x += 1) {
      const wave = Math.sin((x + bend) / 23) * 12 + y;
      rows[at++] = (red + x / 2) & 255;
      rows[at++] = (green + wave) & 255;
      rows[at++] = (blue + (x + y) / 3) & 255;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const comments = Object.entries(texts).map(([key, value]) =>
    chunk('iTXt', Buffer.concat([Buffer.from(`${key}\0\0\0\0\0`, 'latin1'), Buffer.from(value, 'utf8')])),
  );
  const body = [chunk('IHDR', header), ...comments, chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([SIGNATURE, ...body]);
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(8);
  framed.writeUInt32BE(data.length, 0);
  framed.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([framed.subarray(0, 4), typed, framed.subarray(4)]);
}

/** Returns the size of a PNG, GIF, JPEG or WebP, or undefined for anything else: what Pillow could not open. */
export function imageSize(bytes: Buffer): Size | undefined {
  const start = bytes.toString('latin1', 0, 16);
  if (bytes.length >= 24 && bytes.subarray(0, 8).equals(SIGNATURE)) {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (bytes.length >= 10 && /^GIF8[79]a/.test(start)) {
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  if (bytes.length >= 30 && start.startsWith('RIFF') && start.slice(8, 12) === 'WEBP') return webpSize(bytes);
  if (bytes.length >= 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return jpegSize(bytes);
  return undefined;
}

function webpSize(bytes: Buffer): Size {
  const kind = bytes.toString('latin1', 12, 16);
  if (kind === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (kind === 'VP8L') {
    const packed = bytes.readUInt32LE(21);
    return { width: (packed & 0x3fff) + 1, height: ((packed >> 14) & 0x3fff) + 1 };
  }
  return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
}

function jpegSize(bytes: Buffer): Size {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] ?? 0;
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return { width: 1, height: 1 };
}
