export {type DownsampleOptions, downsampleBlock} from "./downsample/downsample-block.ts";
export {DOWNSAMPLE_RANGE, RESOLUTION, targetChunks} from "./downsample/resolution.ts";
