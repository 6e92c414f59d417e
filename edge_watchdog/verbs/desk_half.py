"""The desk half, set up from the configuration; ``run`` imports this for that half only."""

import asyncio
import dataclasses

from edge_watchdog.config import Config
from edge_watchdog.desk.app import serve
from edge_watchdog.desk.settings import Contacts, DeskSettings, JournalSettings, ScheduleSetting
from edge_watchdog.verbs import Answer, complaint
from edge_watchdog.verbs.price_lists import price_files


def run_desk(config: Config) -> Answer:
    """Serve until told to stop."""
    try:
        asyncio.run(serve(desk_settings(config)))
    except OSError as error:
        return complaint([f"[desk] listen = {config.desk.listen}: {error.strerror or error}"])
    return Answer()


def desk_settings(config: Config) -> DeskSettings:
    """Give what the desk half must be told."""
    host, _, port = config.desk.listen.rpartition(":")
    tls_host, _, tls_port = config.desk.listen_tls.rpartition(":")
    vendor, hours = config.vendor, config.studio.opening_hours
    return DeskSettings(
        studio_name=config.studio.name,
        time_zone=config.studio.time_zone,
        state_dir=config.box.desk_dir,
        bridge_path=config.box.bridge_socket,
        key_file=config.desk.key_file or config.box.desk_key,
        retention_s=config.desk.retention,
        vendor_name=vendor.name if vendor else "",
        opening_hours=hours.text if hours else "",
        open_spans=hours.spans if hours else (),
        listen_host=host,
        listen_port=int(port),
        tls_host=tls_host,
        tls_port=int(tls_port),
        lan_interfaces=config.box.lan_interfaces,
        allowed_hosts=config.desk.allowed_hosts,
        frame_ancestors=config.desk.frame_ancestors,
        schedules=tuple(
            ScheduleSetting(
                *(one.name, one.every, one.options, frozenset(one.keep), one.budget),
                takes=frozenset(one.write_back),
            )
            for one in config.schedules
        ),
        prices=price_files(config),
        ca_file=vendor.ca_file if vendor else None,
        print_command=config.printing.command,
        paper=config.printing.paper,
        contacts=Contacts(**dataclasses.asdict(config.contacts)),
        journal=JournalSettings(
            tuple(config.journal.form_order),
            config.journal.online_booking,
            config.journal.currency,
            config.journal.keep,
            config.journal.buffer_before or 0.0,
            config.journal.buffer_after or 0.0,
        ),
    )
