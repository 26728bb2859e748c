export {TextTemplate} from "./text-template.ts";
export {GoMap, GoStruct, GoTime, type Value} from "./values.ts";
