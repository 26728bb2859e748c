export type {Bucket, CopyOptions, FileCopies, ObjectAttributes, ObjectEntry} from "./bucket.ts";
export {isNotFound, notFound, throwIfAborted} from "./bucket-errors.ts";
export {bucketFromConfig} from "./config.ts";
export {FilesystemBucket} from "./filesystem.ts";
export {compareKeys} from "./key.ts";
export {metered} from "./metrics.ts";
export {downloadFile, readObject, uploadBytes, uploadFile} from "./object-io.ts";
export {prefixed} from "./prefix.ts";
export {traced} from "./tracing.ts";
