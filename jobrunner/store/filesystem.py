"""Whether a path is on a network file system, where SQLite's locks and shared memory do not hold. Called by admin."""

from __future__ import annotations

import os
import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = (
    "9p acfs afs beegfs ceph cifs coda davfs gfs gfs2 gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs panfs pvfs2 smb3 smbfs"
    " vboxsf virtiofs wekafs"
)
_FUSE = (
    "blobfuse blobfuse2 ceph ceph-fuse curlftpfs davfs gcsfuse glusterfs goofys httpdirfs juicefs mfs moosefs mount-s3"
    " nfs rclone s3fs seaweedfs smbnetfs sshfs vmhgfs-fuse"
)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_filesystem(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """The type of the network file system that ``path`` is on, such as ``nfs4``; None where it is on none.

    ``path`` need not exist. None also where the host does not tell (``mounts`` is as /proc/self/mountinfo).
    """
    kind = _filesystem(Path(os.path.realpath(path)), mounts)
    name = kind.removeprefix("fuse.")
    return kind if name in (_FUSE if kind != name else _NETWORK).split() else None


def _filesystem(path: Path, mounts: Path) -> str:
    """The type of what is mounted deepest above a path; of two at one place the later hides the earlier."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    depth, found = -1, ""
    for line in lines:
        place, _, kind = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) < 5 or not kind:
            continue
        point = Path(_ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= depth:
            depth, found = len(point.parts), kind.split(" ")[0]
    return found
