import {Db} from "../db.ts";

/*
 * Opens a database, says so, and keeps it open until it is killed.
 *
 *   node lock-child.ts DIR
 */

await Db.open(process.argv[2] as string);
process.stdout.write("open\n");
process.stdin.resume();
