export {type Alert, type AlertState, RESOLVED_RETENTION_MS} from "./alert.ts";
export {ALERT_NAME, ALERT_STATE, ALERTS, ALERTS_FOR_STATE, AlertingRule} from "./alerting-rule.ts";
export {carryOver} from "./carry-over.ts";
export {type Batches, evaluationBatches} from "./dependencies.ts";
export {vectorOf} from "./engine-vector.ts";
export {generatorPath} from "./generator-path.ts";
export {
  emptyVector,
  Group,
  type GroupContext,
  type GroupObserver,
  type Health,
  type Rule,
  type Slots,
} from "./group.ts";
export type {Check, Finding} from "./lint/finding.ts";
export {type LintOptions, type LintSource, lintRules} from "./lint/lint.ts";
export {RecordingRule} from "./recording-rule.ts";
export {type RestoreOptions, restoreRule} from "./restore.ts";
export {parseRuleFile, type RuleFile, type RuleFileOptions} from "./rule-file.ts";
export {type RuleFileError, ruleFileErrorText, ruleFilesError} from "./rule-file-error.ts";
export {
  type ForState,
  type ForStateSource,
  NOTHING_REFUSED,
  type Notify,
  type Refused,
  type RuleQuerier,
  type RuleQuery,
  type RuleSamples,
  type RuleStorage,
  type RuleVector,
} from "./rule-io.ts";
export {
  type AlertingSpec,
  type GroupSpec,
  groupFingerprint,
  type RecordingSpec,
  type RuleSpec,
  ruleKey,
  type Strategy,
} from "./rule-spec.ts";
export {groupOffset, lastSlot, nextEvaluation} from "./schedule.ts";
export {seriesKey} from "./series-memory.ts";
export {fillStale, isStale} from "./stale.ts";
export {Expander, RuleTemplate, type TemplateSample, type TemplateScope} from "./template/expand.ts";
export type {Command, Operand, Pipeline, Statement} from "./template/nodes.ts";
export type {ParsedTemplate} from "./template/parser.ts";
