/* SPDX-License-Identifier: MIT
 * pagetrail: reads recordings. */
#include "analyze/args.h"

int main(int argc, char **argv)
{
    return pt_program(argc, argv);
}
