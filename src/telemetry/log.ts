/**
 * The process's own log: JSON lines on standard output, for whoever runs the gateway. Nothing is redacted, because
 * nothing secret is ever passed: no token, no header, no body, no URL with a password.
 */
import { openSync } from 'node:fs';
import pino from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /**
   * Writes what is waiting; returns when it is written. For the end of the process: a line whose writing is under way may
   * come after the ones behind it.
   */
  flush(): void;
}

export interface LogOptions {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  /** Where lines are added; standard output when there is none. */
  readonly file?: string;
}

/**
 * Returns a log that writes in the background: a call never waits for the reader of the output. A field `err` that is
 * an Error is written with its type, message and stack.
 */
export function createLog({ level, file }: LogOptions): Log {
  const destination = pino.destination({ dest: file === undefined ? 1 : openSync(file, 'a'), sync: false });
  // A full disk or a reader that went away must not end the gateway.
  destination.on('error', () => undefined);
  const lines = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    flush: () => destination.flushSync(),
  };
}
