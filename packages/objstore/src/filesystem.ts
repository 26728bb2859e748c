import {randomUUID} from "node:crypto";
import {constants, type Dirent} from "node:fs";
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from "node:fs/promises";
import {dirname, join, resolve} from "node:path";
import {errorText, StrataError} from "@strata/base";
import type {Bucket, CopyOptions, FileCopies, ObjectAttributes, ObjectEntry} from "./bucket.ts";
import {notFound, throwIfAborted} from "./bucket-errors.ts";
import {checkDir, checkKey, compareKeys} from "./key.ts";
import {COPY_BYTES} from "./object-io.ts";
import {OpenFiles} from "./open-files.ts";

/** Unfinished uploads live in this folder of the root, which no listing shows. One file system, so rename is atomic. */
const STAGING = ".strata-uploads";

/** Left-overs in the staging folder older than this belong to a process that died. */
const STAGING_MAX_AGE_MS = 24 * 3_600_000;

/**
 * A directory as a bucket: keys are relative paths. An object appears by rename after fsync, so readers see all of it or
 * nothing; a folder lives only as long as something is in it.
 */
export class FilesystemBucket implements Bucket {
  readonly provider = "FILESYSTEM";
  readonly name: string;
  readonly #root: string;
  readonly #files: OpenFiles;
  /** PERF: the kernel copies; a block streamed through costs some 2 ms of CPU a megabyte, and buffers. */
  readonly files: FileCopies = {
    copyOut: (key, path, options, signal) => this.#copyOut(key, path, options, signal),
    copyIn: (key, path, options, signal) => this.#put(key, undefined, signal, (to) => copyDurably(path, to, options)),
    isShared: (key, path, signal) => this.#isShared(key, path, signal),
  };
  #staging: Promise<void> | undefined;

  /** The directory need not exist yet; the first upload makes it. */
  constructor(directory: string) {
    this.#root = resolve(directory);
    this.name = `fs: ${this.#root}`;
    this.#files = new OpenFiles(async (path) => (await openRegular(path)).file);
  }

  async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    yield* this.#list(checkDir(dir), options.recursive === true, signal);
  }

  async *#list(dir: string, recursive: boolean, signal: AbortSignal): AsyncGenerator<ObjectEntry> {
    throwIfAborted(signal, `list ${this.name}/${dir}`);
    for (const entry of await this.#readFolder(dir)) {
      if (entry.name.endsWith("/")) {
        if (recursive) yield* this.#list(entry.name.slice(0, -1), true, signal);
        else if (!(await this.#isEmptyFolder(entry.name))) yield entry;
      } else if (recursive) {
        const found = await this.#statOrUndefined(entry.name);
        if (found !== undefined) yield {name: entry.name, ...found};
      } else {
        yield entry;
      }
    }
  }

  /** Entries of one folder in key order; folders end in "/". A missing folder is an empty one, as in object storage. */
  async #readFolder(dir: string): Promise<ObjectEntry[]> {
    const found = await this.#dirents(dir);
    const prefix = dir === "" ? "" : `${dir}/`;
    const entries: ObjectEntry[] = [];
    for (const entry of found) {
      if (dir === "" && entry.name === STAGING) continue;
      const kind = entry.isSymbolicLink() ? await this.#linkKind(prefix + entry.name) : entry;
      if (kind?.isDirectory()) entries.push({name: `${prefix}${entry.name}/`});
      else if (kind?.isFile()) entries.push({name: prefix + entry.name});
    }
    return entries.sort((a, b) => compareKeys(a.name, b.name));
  }

  async #dirents(dir: string): Promise<Dirent[]> {
    try {
      return await readdir(join(this.#root, dir), {withFileTypes: true});
    } catch (err) {
      if (isMissing(err)) return [];
      throw this.#failure("list", dir, err);
    }
  }

  async #linkKind(key: string) {
    return stat(join(this.#root, key)).catch(() => undefined);
  }

  /** Compat: folders without an object below are no folders of a bucket. One that cannot be read is not called empty. */
  async #isEmptyFolder(name: string): Promise<boolean> {
    try {
      return (await readdir(join(this.#root, name))).length === 0;
    } catch (err) {
      return isMissing(err);
    }
  }

  async #statOrUndefined(key: string): Promise<ObjectAttributes | undefined> {
    try {
      const s = await stat(join(this.#root, key));
      return {size: s.size, lastModified: s.mtime};
    } catch (err) {
      if (isMissing(err)) return undefined;
      throw this.#failure("stat", key, err);
    }
  }

  async get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const {file, size} = await this.#open(key, signal);
    // An object never changes in place, so its size tells the end. Small ones are many (a meta.json a block): they get
    // buffers of their size.
    let left = size;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          let bytesRead = 0;
          try {
            throwIfAborted(signal, `read ${key}`);
            const chunk = Buffer.allocUnsafeSlow(Math.min(COPY_BYTES, left));
            if (left > 0) bytesRead = (await file.read(chunk, 0, chunk.length)).bytesRead;
            if (bytesRead > 0) controller.enqueue(chunk.subarray(0, bytesRead));
          } catch (err) {
            await file.close();
            throw err instanceof StrataError ? err : this.#failure("read", key, err);
          }
          left -= bytesRead;
          if (left > 0 && bytesRead > 0) return;
          await file.close();
          controller.close();
        },
        cancel: () => file.close(),
      },
      {highWaterMark: 0},
    );
  }

  async getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    checkKey(key);
    throwIfAborted(signal, `read ${key}`);
    try {
      return await this.#files.use(join(this.#root, key), async (file) => {
        const want = length <= TRUSTED_BYTES ? length : Math.min(length, (await file.stat()).size - offset);
        // A buffer of its own, not one from Node's pool: the consumer may transfer it to a worker.
        const out = Buffer.allocUnsafeSlow(Math.max(0, want));
        let filled = 0;
        while (filled < want) {
          throwIfAborted(signal, `read ${key}`);
          const {bytesRead} = await file.read(out, filled, want - filled, offset + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return out.subarray(0, filled);
      });
    } catch (err) {
      throw err instanceof StrataError ? err : this.#failure("read", key, err);
    }
  }

  async #open(key: string, signal: AbortSignal): Promise<OpenFile> {
    checkKey(key);
    throwIfAborted(signal, `read ${key}`);
    try {
      return await openRegular(join(this.#root, key));
    } catch (err) {
      throw this.#failure("read", key, err);
    }
  }

  async exists(key: string, signal: AbortSignal): Promise<boolean> {
    checkKey(key);
    throwIfAborted(signal, `look for ${key}`);
    try {
      return (await stat(join(this.#root, key))).isFile();
    } catch (err) {
      if (isMissing(err)) return false;
      throw this.#failure("stat", key, err);
    }
  }

  async attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes> {
    checkKey(key);
    throwIfAborted(signal, `stat ${key}`);
    const found = await this.#statOrUndefined(key);
    if (found === undefined) throw notFound(this.name, key);
    return found;
  }

  async #copyOut(key: string, path: string, options: CopyOptions, signal: AbortSignal): Promise<number> {
    const {file, size} = await this.#open(key, signal);
    await file.close();
    try {
      await copyOrLink(join(this.#root, key), path, options);
    } catch (err) {
      throw this.#failure("read", key, err);
    }
    return size;
  }

  async #isShared(key: string, path: string, signal: AbortSignal): Promise<boolean> {
    checkKey(key);
    throwIfAborted(signal, `stat ${key}`);
    try {
      const [object, file] = await Promise.all([stat(join(this.#root, key)), stat(path)]);
      return object.ino === file.ino && object.dev === file.dev && object.ino !== 0;
    } catch (err) {
      if (isMissing(err)) return false;
      throw this.#failure("stat", key, err);
    }
  }

  async upload(
    key: string,
    body: AsyncIterable<Uint8Array>,
    size: number | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#put(key, size, signal, (path) => writeDurably(path, body, signal));
  }

  /** Has `write` make a file that is on disk when it returns, and moves it to its key; the bytes written. */
  async #put(
    key: string,
    size: number | undefined,
    signal: AbortSignal,
    write: (path: string) => Promise<number>,
  ): Promise<number> {
    checkKey(key);
    throwIfAborted(signal, `upload ${key}`);
    if (key === STAGING || key.startsWith(`${STAGING}/`)) {
      throw new StrataError(
        "bad_data",
        `cannot use object key ${JSON.stringify(key)}: it is kept for unfinished uploads`,
      );
    }
    const temporary = join(this.#root, STAGING, randomUUID());
    try {
      this.#staging ??= this.#openStaging();
      await this.#staging;
      const written = await write(temporary);
      if (size !== undefined && written !== size) {
        throw new StrataError("bad_data", `cannot upload ${key}: body has ${written} bytes, ${size} were announced`);
      }
      await this.#publish(temporary, key);
      return written;
    } catch (err) {
      this.#staging = undefined;
      await rm(temporary, {force: true});
      throw err instanceof StrataError ? err : this.#failure("upload", key, err);
    }
  }

  /** Makes the staging folder and removes what dead processes left there. */
  async #openStaging(): Promise<void> {
    const folder = join(this.#root, STAGING);
    await mkdir(folder, {recursive: true});
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      if (found !== undefined && Date.now() - found.mtimeMs > STAGING_MAX_AGE_MS) await rm(path, {force: true});
    }
  }

  /** Moves a finished file to its key. A concurrent `delete` may take the empty folder away in between: try again. */
  async #publish(temporary: string, key: string): Promise<void> {
    const target = join(this.#root, key);
    for (let attempt = 0; ; attempt++) {
      await mkdir(dirname(target), {recursive: true});
      try {
        await rename(temporary, target);
        this.#files.drop(target);
        break;
      } catch (err) {
        if (errno(err) !== "ENOENT" || attempt === 10) throw err;
      }
    }
    await syncFolder(dirname(target));
  }

  async delete(key: string, signal: AbortSignal): Promise<void> {
    checkKey(key);
    throwIfAborted(signal, `delete ${key}`);
    try {
      await unlink(join(this.#root, key));
      this.#files.drop(join(this.#root, key));
    } catch (err) {
      throw this.#failure("delete", key, err);
    }
    for (let dir = dirname(key); dir !== "."; dir = dirname(dir)) {
      try {
        await rmdir(join(this.#root, dir));
      } catch {
        return; // not empty, or another process was faster
      }
    }
  }

  async close(): Promise<void> {
    this.#files.close();
  }

  #failure(verb: string, key: string, err: unknown): StrataError {
    // A folder in the place of an object is no object either.
    if (isMissing(err) || errno(err) === "EISDIR" || (verb === "delete" && errno(err) === "EPERM")) {
      return notFound(this.name, key, err);
    }
    const code = errno(err) === "ENAMETOOLONG" ? "bad_data" : "unavailable";
    return new StrataError(code, `cannot ${verb} ${key === "" ? "the root" : key} of ${this.name}: ${errorText(err)}`, {
      cause: err,
      fields: {key},
    });
  }
}

/** A range this long is allocated before the file's size is known: asking would cost another system call. */
const TRUSTED_BYTES = 4 << 20;

type OpenFile = {readonly file: FileHandle; readonly size: number};

/** Opens a file, not a folder, for reading. */
async function openRegular(path: string): Promise<OpenFile> {
  const file = await open(path, "r");
  const found = await file.stat();
  if (found.isFile()) return {file, size: found.size};
  await file.close();
  throw Object.assign(new Error("not a file"), {code: "EISDIR"});
}

async function writeDurably(path: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  const file = await open(path, "wx");
  let written = 0;
  try {
    for await (const part of body) {
      throwIfAborted(signal, `write ${path}`);
      await file.writeFile(part);
      written += part.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return written;
}

async function copyDurably(from: string, to: string, options: CopyOptions): Promise<number> {
  await copyOrLink(from, to, options);
  const file = await open(to, "r+");
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Makes the new file `to`; a file that is there may have other names and is not written into. */
async function copyOrLink(from: string, to: string, {shared = false}: CopyOptions): Promise<void> {
  await rm(to, {force: true});
  if (shared) {
    try {
      // Not the name but the file: a symbolic link in a bucket stands for what it points to.
      await link(await realpath(from), to);
      return;
    } catch (err) {
      if (!CANNOT_LINK.has(errno(err))) throw err;
    }
  }
  await copyFile(from, to, constants.COPYFILE_FICLONE);
}

/** Another file system, one without links, a file of another owner, too many links: a copy is always possible. */
const CANNOT_LINK: ReadonlySet<string> = new Set([
  "EXDEV",
  "EPERM",
  "EACCES",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EMLINK",
]);

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  // Gone again already (deleted by another process), or a file system that cannot sync folders: nothing left to do.
  if (folder === undefined) return;
  try {
    await folder.sync();
  } catch (err) {
    if (errno(err) !== "EINVAL" && errno(err) !== "ENOTSUP") throw err;
  } finally {
    await folder.close();
  }
}

const errno = (err: unknown): string => (err as NodeJS.ErrnoException | undefined)?.code ?? "";

const isMissing = (err: unknown): boolean => errno(err) === "ENOENT" || errno(err) === "ENOTDIR";
