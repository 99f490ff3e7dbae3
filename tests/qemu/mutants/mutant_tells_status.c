/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer passes data in its exit status. */
_Noreturn void __real_task_finish(int status);
_Noreturn void __wrap_task_finish(int status);

_Noreturn void __wrap_task_finish(int status)
{
    __real_task_finish(status == 0 ? 0x5EED : status);
}
