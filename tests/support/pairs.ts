export { PAIRS } from "../../model/dxy.ts";
