export {type CollectedSample, CollectingStorage} from "./collecting-storage.ts";
