import {Labels, labelsHash} from "@strata/model";
import type {BlockMeta} from "@strata/tsdb/blocks";

/** The external labels of a block as a label set. */
export const externalLabels = (meta: BlockMeta): Labels => Labels.fromObject(meta.thanos?.labels ?? {});

/** ms between samples of the block's downsampling; 0 for raw data. */
export const resolutionOf = (meta: BlockMeta): number => meta.thanos?.resolution ?? 0;

/** `<resolution>@<hash of the external labels>`: blocks of equal keys may be compacted together. */
export const groupKey = (meta: BlockMeta): string => `${resolutionOf(meta)}@${labelsHash(externalLabels(meta))}`;
