# SPDX-License-Identifier: BSD-3-Clause
"""The parts of event_rpcgen: description (what is read), fields and output (what is written)."""
