export type {Bucket, ObjectAttributes, ObjectEntry} from "./bucket.ts";
