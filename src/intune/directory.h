/*
 * directory.h - what the files of the directory have in common: which version of Graph tells of
 * Intune's devices.
 */
#ifndef SCEPD_INTUNE_DIRECTORY_H
#define SCEPD_INTUNE_DIRECTORY_H

#include "intune/graph.h"

#define MANAGED_DEVICES "deviceManagement/managedDevices"
#define RISKY_USERS     "identityProtection/riskyUsers"

/*
 * Only the beta version tells managementState.  Beta is nobody's promise: when it says anything
 * that may be of its own making, v1.0 is asked, and what v1.0 says counts.
 */
struct managed_version {
	enum graph_version version;
	enum graph_use use;
};
#define MANAGED_VERSIONS 2u
extern const struct managed_version managed_versions[MANAGED_VERSIONS];
/* This failure may be beta's alone. */
bool managed_ask_v1(const struct op *op, enum intune_status st);

#endif
