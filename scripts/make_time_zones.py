"""Make `halgit/halyard/tables/time-zones.json`: the time zones a JVM knows, which is what Halyard compares with.

    python scripts/make_time_zones.py

Needs `java` (11 or later) on the PATH. The list grows with the JVM's copy of the time zone database.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "halgit" / "halyard" / "tables" / "time-zones.json"

PROGRAM = """
public class Zones {
    public static void main(String[] arguments) {
        System.out.println(System.getProperty("java.version"));
        for (String id : java.util.TimeZone.getAvailableIDs()) System.out.println(id);
    }
}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "Zones.java"
        source.write_text(PROGRAM)
        output = subprocess.run(["java", str(source)], check=True, capture_output=True, text=True).stdout
    version, *zones = output.split("\n")
    data = {"java": version, "zones": sorted(zone for zone in zones if zone)}
    TABLE.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
