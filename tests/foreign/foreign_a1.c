/* SPDX-License-Identifier: Apache-2.0 */
extern const char foreign_bootargs[];
const char foreign_bootargs[] = "abi=a1 watchdog_ms=600000";
