"""Rows of two escos in every table, and a meter that is nobody's. Identifiers are the same in every run.

Whatever belongs to an esco says so: its rows carry one of its identifiers or its mark, so a test can tell whose a row
is without repeating the policies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

import psycopg

NAMESPACE = UUID("6f6c1f9e-5a0e-4f0c-9d0f-3c5d7a1b2e34")
PIN = "7Q0Z"
"""PIN of every charger: must not be seen anywhere."""
THINGS = ("esco", "site", "plot", "flat", "circuit", "feeder", "head", "charger", "prepay", "silent", "tophat")
REGISTERS = ("prepay-A", "prepay-B", "silent-SINGLE")


@dataclass(frozen=True)
class Esco:
    """An esco's code, which marks its names, and its number, which its serials and addresses start with."""

    code: str
    number: int

    def id(self, thing: str) -> UUID:
        """Identifier of one of its things or registers."""
        return uuid5(NAMESPACE, f"{self.code}/{thing}")

    @property
    def ids(self) -> dict[str, str]:
        """All identifiers, by thing."""
        return {thing: str(self.id(thing)) for thing in (*THINGS, *REGISTERS)}

    @property
    def marks(self) -> tuple[str, ...]:
        """Texts of which every one of its rows carries one, and no other esco's row any."""
        return (*self.ids.values(), self.code)


ALPHA = Esco("ALPHA", 1)
BRAVO = Esco("BRAVO", 2)
NOBODY = Esco("NOBODY", 3)
"""Not an esco: its meter has none."""

SHARED = """
INSERT INTO flows.meter_event_log_type (id, name) VALUES (7, 'Lid open') ON CONFLICT DO NOTHING;
INSERT INTO flows.meter_metrics (name, enabled, run_frequency)
SELECT 'SyncerCSQ', true, 'hourly' WHERE NOT EXISTS (SELECT FROM flows.meter_metrics)
"""

COMMUNITY = """
INSERT INTO flows.escos (id, code, name, app_url)
VALUES ({esco}, {code}, {code} || ' energy', 'https://' || lower({code}) || '.example') ON CONFLICT DO NOTHING;
INSERT INTO flows.sites_new (id, name, code, esco)
VALUES ({site}, {code} || ' site', {code} || '-S', {esco}) ON CONFLICT DO NOTHING;
INSERT INTO flows.feeder_registry (id, name, esco)
VALUES ({feeder}, {code} || ' feeder', {esco}) ON CONFLICT DO NOTHING;
INSERT INTO flows.service_head_registry (id, name, feeder, phase, fuse_rating, type)
VALUES ({head}, {code} || ' head', {feeder}, 1, 60, 'customer_owned') ON CONFLICT DO NOTHING;
INSERT INTO flows.ev_chargers (id, esco, serial, pin, position)
VALUES ({charger}, {esco}, {serial} || '99', {pin}, {code} || ' car park') ON CONFLICT DO NOTHING
"""

METERS = """
INSERT INTO flows.circuits (id, type, name) VALUES ({circuit}, 'power', {code} || ' lights') ON CONFLICT DO NOTHING;
INSERT INTO flows.meter_registry (id, serial, name, emnify_id, ip_address, iccid, hardware, prepay_enabled, esco, site)
VALUES
    ({prepay}, {serial} || '01', {code} || ' prepay', {number} * 100 + 1, ({address} || '.1')::inet, {serial} || 'C1',
     'P1.bx', true, {owner}, {site}),
    ({silent}, {serial} || '02', {code} || ' silent', {number} * 100 + 2, ({address} || '.2')::inet, {serial} || 'C2',
     'P1.bx', false, {owner}, {site})
ON CONFLICT DO NOTHING;
INSERT INTO flows.meter_registers (register_id, meter_id, nature, element, start_time)
VALUES
    ({prepay-A}, {prepay}, 'power', 'A', now() - interval '20 days'),
    ({prepay-B}, {prepay}, 'power', 'B', now() - interval '20 days'),
    ({silent-SINGLE}, {silent}, 'solar', 'SINGLE', now() - interval '20 days')
ON CONFLICT DO NOTHING;
INSERT INTO flows.circuit_register (circuit, register, start_time)
SELECT {circuit}, register, now() - interval '20 days'
FROM unnest(ARRAY[{prepay-A}, {prepay-B}]) register
WHERE NOT EXISTS (SELECT FROM flows.circuit_register c WHERE c.circuit = {circuit})
"""

LINKS = """
INSERT INTO flows.properties (id, plot, site)
VALUES ({plot}, {code} || ' plot 1', {site}), ({flat}, {code} || ' flat 2', NULL) ON CONFLICT DO NOTHING;
INSERT INTO flows.meter_tophat_registry (id, meter, emnify_id)
VALUES ({tophat}, {prepay}, {number} * 100 + 3) ON CONFLICT DO NOTHING;
INSERT INTO flows.service_head_meter (service_head, meter) VALUES ({head}, {prepay}) ON CONFLICT DO NOTHING;
INSERT INTO flows.properties_service_head (property, service_head)
VALUES ({plot}, {head}), ({flat}, {head}) ON CONFLICT DO NOTHING;
INSERT INTO flows.meter_event_log (meter_id, timestamp, event_type, event_set)
VALUES ({prepay}, date_trunc('hour', now()), 7, 1) ON CONFLICT DO NOTHING
"""

SERIES = """
INSERT INTO flows.register_import (register_id, timestamp, read)
SELECT r.register_id, t, {number} * 1000 + extract(epoch FROM t - now()) / 3600
FROM flows.meter_registers r, generate_series({from}, {to}, interval '12 hours') t
WHERE r.meter_id IN ({prepay}, {silent}) ON CONFLICT DO NOTHING;
INSERT INTO flows.register_export (register_id, timestamp, read)
SELECT r.register_id, t, {number} * 1000 FROM flows.meter_registers r, generate_series({from}, {to}, interval '1 day') t
WHERE r.meter_id IN ({prepay}, {silent}) ON CONFLICT DO NOTHING;
INSERT INTO flows.register_interval_hh (register_id, timestamp, import_kwh, export_kwh)
SELECT r.register_id, t, {number}, {number} / 10.0
FROM flows.meter_registers r, generate_series({from}, {to}, interval '30 minutes') t
WHERE r.meter_id IN ({prepay}, {silent}) ON CONFLICT DO NOTHING;
INSERT INTO flows.meter_csq (meter_id, timestamp, csq)
VALUES ({silent}, date_trunc('hour', now()) - interval '6 hours', 17) ON CONFLICT DO NOTHING;
UPDATE flows.meter_shadows
SET csq = 21, voltage = 230.{number}, "3p_voltage_l1" = 231, "3p_voltage_l2" = 232, "3p_voltage_l3" = 233,
    balance = {number}, health = 'healthy', import_a = {number}, import_b = {number}, export_a = {number},
    export_b = {number}, clock_time_diff_seconds = -90 * {number},
    tariffs_active = '{{"standing_charge": 0.{number}, "unit_rate_element_a": 0.{number}5}}',
    tariffs_future = NULL
WHERE id = {prepay};
UPDATE flows.meter_shadows SET tariffs_active = '{{"standing_charge": 0.{number}}}' WHERE id = {silent}
"""


def load(connection: psycopg.Connection[Any]) -> None:
    """Fill every table; rows that are there already stay. Materialises a part of the aggregates."""
    run(connection, SHARED)
    for esco, parts in ((ALPHA, (COMMUNITY, METERS, LINKS)), (BRAVO, (COMMUNITY, METERS, LINKS)), (NOBODY, (METERS,))):
        values = {name: f"'{found}'::uuid" for name, found in esco.ids.items()} | {
            "code": f"'{esco.code}'",
            "number": str(esco.number),
            "serial": f"'EML{esco.number}00'",
            "address": f"'10.0.{esco.number}'",
            "pin": f"'{PIN}'",
            "owner": f"'{esco.id('esco')}'" if COMMUNITY in parts else "NULL",
            "from": "date_trunc('day', now()) - interval '3 days'",
            "to": "date_trunc('hour', now()) - interval '1 hour'",
        }
        for statements in (*parts, SERIES):
            run(connection, statements.format(**values))
    for series in ("interval_hh", "import", "export"):
        run(connection, f"REFRESH MATERIALIZED VIEW flows.register_{series}_missing")
    window = "date_trunc('day', now()) - interval '4 days', date_trunc('day', now()) - interval '1 day'"
    aggregates = "SELECT view_name FROM timescaledb_information.continuous_aggregates"
    made = {name for (name,) in connection.execute(aggregates).fetchall()}
    for level in ("hh", "daily"):
        if f"circuit_interval_{level}" not in made:  # edition apache: a plain view
            continue
        run(connection, f"CALL refresh_continuous_aggregate('flows.circuit_interval_{level}', {window})")


def run(connection: psycopg.Connection[Any], sql: str) -> None:
    """Each statement on its own: procedures that commit cannot run beside others."""
    for statement in sql.split(";\n"):
        connection.execute(statement.encode())
