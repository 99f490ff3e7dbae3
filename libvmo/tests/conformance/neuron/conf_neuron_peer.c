/* SPDX-License-Identifier: Apache-2.0 */
/* The peer's program on NEURON. */
#include "conformance/conf_peer_main.h"

int main(void)
{
    return conf_peer_main(vmo_peer_parent);
}
