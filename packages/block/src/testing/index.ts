export {type FakeBlock, fakeMeta, putFakeBlock} from "./fake-blocks.ts";
