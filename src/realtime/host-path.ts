/**
 * Paths that lead to a file of the host, and not to one of the server's own. An agent opens them as they are: an absolute
 * path replaces the folder of the files, and `..` leaves it (contract, section 6).
 */

/** Longer than any system opens. */
export const MAX_PATH_LENGTH = 4096;

/** Of the root, of a home, of a drive, of another machine (`\\server`), or as an URL. */
const ROOTED = /^(?:[/\\]|~[\w.-]*[/\\]|[A-Za-z]:\S|file:)/i;

/** `..` and nothing that prose has. */
const CLIMBS = /^(?:[^\s/\\]*[/\\])*\.\.[/\\]\S+$/;

const LEAVES_FOLDER = /(?:^|[/\\])\.\.(?:[/\\]|$)/;

/** What an image library can open, and films. Windows passes over full stops and blanks at the end. */
const IMAGE =
  /\.(?:a?png|avif|bmp|dds|dib|eps|gif|hei[cf]|ic(?:o|ns)|j2k|jfif|jp(?:2|e|eg|f|g|x)|p[bgnp]m|pcx|psd|tga|tiff?|webp|xbm|xpm)[.\s]*$/i;
const FILM = /\.(?:3gp|avi|flv|m4v|mk[av]|mov|mp4|mpe?g|ogv|webm|wmv)[.\s]*$/i;
const ENDING_LENGTH = 16;

/** Where hosts have files. What is there is opened as an image whatever its name ends in, and many have no ending. */
const OF_A_HOST =
  /^(?:file:\/\/)?(?:[A-Za-z]:[/\\]|~[\w.-]*\/|\/(?:data|dev|etc|home|library|media|mnt|opt|private|proc|root|run|srv|tmp|users|usr|var|volumes)\/)\S+$/i;

/**
 * True for the path of an image or a film of the host, and for one that can be nothing but a path of a host. A name right
 * below `url`, where the server has its own files, is none: whose it is can be looked up.
 */
export const isHostPath = (value: string, url: string | undefined): boolean => {
  const path = value.trim();
  if (url !== undefined && path.startsWith(url) && !/[/\\]/.test(path.slice(url.length))) return false;
  if (OF_A_HOST.test(path) || CLIMBS.test(path)) return true;
  // Asked of every text as it grows, so the end of it comes first.
  const ending = value.slice(-ENDING_LENGTH);
  if (!IMAGE.test(ending) && !FILM.test(ending)) return false;
  return LEAVES_FOLDER.test(path) || ROOTED.test(path);
};
