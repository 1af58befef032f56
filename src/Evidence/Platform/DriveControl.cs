using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Platform;

/// <summary>What a drive gave back for an ATA command.</summary>
/// <param name="Data">The block of data; empty for a command without one.</param>
/// <param name="Sense">SCSI sense data; empty where there is none.</param>
internal sealed record AtaReply(byte[] Data, byte[] Sense);

/// <summary>Asks a drive itself, past the kernel's idea of it. Null where the system, the driver or the drive refuses.</summary>
internal static unsafe class DriveControl
{
    /// <summary>A drive that sleeps must spin up before it answers; one that dies may never answer.</summary>
    private const uint TimeoutMilliseconds = 15_000;

    private const int SenseLength = 64;
    private const int NvmeDataLength = 4096;

    /// <summary>Sends an ATA command through SCSI's pass-through.</summary>
    internal static AtaReply? Ask(SafeFileHandle device, AtaCommand command)
    {
        const int FromDevice = -3;
        const int NoData = -1;
        byte[] cdb = command.ToPassThrough();
        var data = new byte[command.HasData ? AtaCommand.DataLength : 0];
        var sense = new byte[SenseLength];
        fixed (byte* cdbStart = cdb, dataStart = data, senseStart = sense)
        {
            var request = new ScsiRequest
            {
                InterfaceId = 'S',
                Direction = command.HasData ? FromDevice : NoData,
                CommandLength = (byte)cdb.Length,
                SenseLength = SenseLength,
                DataLength = (uint)data.Length,
                Data = dataStart,
                Command = cdbStart,
                Sense = senseStart,
                Timeout = TimeoutMilliseconds,
            };
            return Posix.IoControl(device, Posix.SG_IO, &request) < 0 || !request.IsAnswered
                ? null
                : new AtaReply(data, sense[..request.SenseWritten]);
        }
    }

    /// <summary>NVMe's Identify of a namespace (NVM Express Base 2.0, 5.17.2, CNS 00h).</summary>
    internal static byte[]? IdentifyNamespace(SafeFileHandle device, uint number) => NvmeIdentify(device, number, what: 0);

    /// <summary>NVMe's Identify of the controller (NVM Express Base 2.0, 5.17.2, CNS 01h).</summary>
    internal static byte[]? IdentifyController(SafeFileHandle device) => NvmeIdentify(device, number: 0, what: 1);

    private static byte[]? NvmeIdentify(SafeFileHandle device, uint number, uint what)
    {
        const byte Identify = 0x06;
        var data = new byte[NvmeDataLength];
        fixed (byte* start = data)
        {
            var request = new NvmeRequest
            {
                Opcode = Identify,
                Namespace = number,
                Data = (ulong)start,
                DataLength = NvmeDataLength,
                Word10 = what,
                Timeout = TimeoutMilliseconds,
            };
            return Posix.IoControl(device, Posix.NVME_IOCTL_ADMIN_CMD, &request) == 0 ? data : null;
        }
    }

    /// <summary><c>struct sg_io_hdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ScsiRequest
    {
        internal int InterfaceId;
        internal int Direction;
        internal byte CommandLength;
        internal byte SenseLength;
        internal ushort Vectors;
        internal uint DataLength;
        internal byte* Data;
        internal byte* Command;
        internal byte* Sense;
        internal uint Timeout;
        internal uint Flags;
        internal int Id;
        internal void* User;
        internal byte Status;
        internal byte MaskedStatus;
        internal byte MessageStatus;
        internal byte SenseWritten;
        internal ushort HostStatus;
        internal ushort DriverStatus;
        internal int Missing;
        internal uint Duration;
        internal uint Info;

        /// <summary>
        /// Whether the command reached the drive and came back: with a good status and all of its data, or, where it has none, with sense data
        /// that hold the registers.
        /// </summary>
        internal readonly bool IsAnswered
        {
            get
            {
                const byte CheckCondition = 2;
                const ushort ThereIsSense = 8;
                return HostStatus == 0 && (DriverStatus & ~ThereIsSense) == 0 && SenseWritten <= DriveControl.SenseLength
                    && (DataLength == 0 ? Status is 0 or CheckCondition : Status == 0 && Missing == 0);
            }
        }
    }

    /// <summary><c>struct nvme_admin_cmd</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct NvmeRequest
    {
        [FieldOffset(0)]
        internal byte Opcode;
        [FieldOffset(4)]
        internal uint Namespace;
        [FieldOffset(24)]
        internal ulong Data;
        [FieldOffset(36)]
        internal uint DataLength;
        [FieldOffset(40)]
        internal uint Word10;
        [FieldOffset(64)]
        internal uint Timeout;
    }
}
