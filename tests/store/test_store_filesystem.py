"""Which file systems are told to be network ones, by tables of mounts as Linux shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobrunner.store.filesystem import network_filesystem

MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv rw,relatime shared:5 - nfs4 nas:/export rw,vers=4.2
31 30 0:41 / /srv/local rw,relatime - xfs /dev/sdb1 rw
32 22 0:42 / /mnt/with\040space rw,relatime - cifs //nas/share rw
33 22 0:43 / /home/ana/far rw,nosuid - fuse.sshfs ana@far:/ rw
34 22 0:44 / /home/ana/vault rw,nosuid - fuse.gocryptfs /home/ana/.vault rw
35 22 0:45 / /over rw - nfs nas:/over rw
36 35 0:46 / /over rw - tmpfs tmpfs rw
37 22 0:47 / /vm rw - 9p share rw,trans=virtio
38 22 0:48 / /dav rw - davfs https://nas/dav rw
39 22 0:49 / /pool rw shared:9 master:2 - fuse.glusterfs pool rw
short line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/jobrunner/jobrunner.db", None),
        ("/srv/jobs/jobrunner.db", "nfs4"),
        ("/srv", "nfs4"),
        ("/srvother/jobrunner.db", None),
        ("/srv/local/jobrunner.db", None),
        ("/srv/local/../jobrunner.db", "nfs4"),
        ("/mnt/with space/jobrunner.db", "cifs"),
        ("/home/ana/far/jobrunner.db", "fuse.sshfs"),
        ("/home/ana/vault/jobrunner.db", None),
        ("/over/jobrunner.db", None),
        ("/vm/jobrunner.db", "9p"),
        ("/dav/jobrunner.db", "davfs"),
        ("/pool/jobrunner.db", "fuse.glusterfs"),
    ],
)
def test_what_a_path_is_on(tmp_path: Path, path: str, kind: str | None) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_filesystem(Path(path), mounts) == kind


def test_links_are_followed(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    link = tmp_path / "link"
    link.symlink_to("/srv/jobs")
    assert network_filesystem(link / "jobrunner.db", mounts) == "nfs4"


def test_a_host_that_does_not_tell(tmp_path: Path) -> None:
    assert network_filesystem(tmp_path, tmp_path / "none") is None
    assert network_filesystem(Path("/dev/shm/jobrunner.db")) is None
