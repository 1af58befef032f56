namespace Evidence.Sources.Nbd;

/// <summary>The numbers of the NBD protocol (the NetworkBlockDevice project's <c>doc/proto.md</c>), as far as those need them who read, or have others read.</summary>
internal static class NbdProtocol
{
    internal const int DefaultPort = 10809;

    /// <summary>"NBDMAGIC": every server's first bytes.</summary>
    internal const ulong ServerMagic = 0x4e42444d41474943;

    /// <summary>"IHAVEOPT": a server of the newstyle negotiation, and before every option.</summary>
    internal const ulong OptionMagic = 0x49484156454F5054;

    /// <summary>In place of <see cref="OptionMagic"/>: a server of the oldstyle negotiation, which came to its end in 2013.</summary>
    internal const ulong OldstyleMagic = 0x00420281861253;

    internal const ulong OptionReplyMagic = 0x3e889045565a9;
    internal const uint RequestMagic = 0x25609513;
    internal const uint SimpleReplyMagic = 0x67446698;
    internal const uint StructuredReplyMagic = 0x668e33ef;

    /// <summary>The bytes of a request.</summary>
    internal const int RequestLength = 28;

    /// <summary>The bytes of a chunk's header.</summary>
    internal const int ChunkHeaderLength = 20;

    /// <summary>The zeros after the answer to <see cref="NbdOption.ExportName"/>, where they were not negotiated away.</summary>
    internal const int ReservedZeros = 124;

    /// <summary>The most bytes of any string.</summary>
    internal const int LongestString = 4096;

    /// <summary>The most bytes that a request may read where the server does not say.</summary>
    internal const int DefaultMaximumPayload = 32 << 20;

    /// <summary>The largest minimum block size.</summary>
    internal const int LargestMinimumBlock = 1 << 16;

    /// <summary>The most descriptors of one block status reply.</summary>
    internal const int MostDescriptors = 1 << 20;

    /// <summary>Bit 31 of an option reply's type: it is an error.</summary>
    internal const uint OptionErrorBit = 0x8000_0000;

    /// <summary>Bit 15 of a chunk's type: it is an error.</summary>
    internal const ushort ChunkErrorBit = 0x8000;

    /// <summary>The flag of a reply's last chunk.</summary>
    internal const ushort ChunkDone = 1;

    /// <summary>The metadata context that tells holes from data.</summary>
    internal const string AllocationContext = "base:allocation";

    internal const uint StateHole = 1;
    internal const uint StateZero = 2;

    /// <summary>The error of a server that is about to end: the client disconnects.</summary>
    internal const int EShutdown = 108;
}

[Flags]
internal enum NbdHandshakeFlags : ushort
{
    None = 0,
    FixedNewstyle = 1,
    NoZeroes = 2,
}

[Flags]
internal enum NbdTransmissionFlags : ushort
{
    None = 0,
    HasFlags = 1,
    ReadOnly = 2,

    /// <summary>A client may ask that an answer come in one piece.</summary>
    SendsWhole = 1 << 7,

    /// <summary>Several connections see the same.</summary>
    MultipleConnections = 1 << 8,
}

internal enum NbdOption : uint
{
    ExportName = 1,
    Abort = 2,
    List = 3,
    StartTls = 5,
    Info = 6,
    Go = 7,
    StructuredReply = 8,
    ListMetaContext = 9,
    SetMetaContext = 10,
}

internal enum NbdOptionReply : uint
{
    Ack = 1,
    Server = 2,
    Info = 3,
    MetaContext = 4,
    Unsupported = NbdProtocol.OptionErrorBit + 1,
    Policy = NbdProtocol.OptionErrorBit + 2,
    Invalid = NbdProtocol.OptionErrorBit + 3,
    Platform = NbdProtocol.OptionErrorBit + 4,
    TlsRequired = NbdProtocol.OptionErrorBit + 5,
    Unknown = NbdProtocol.OptionErrorBit + 6,
    Shutdown = NbdProtocol.OptionErrorBit + 7,
    BlockSizeRequired = NbdProtocol.OptionErrorBit + 8,
    TooBig = NbdProtocol.OptionErrorBit + 9,
}

internal enum NbdInformation : ushort
{
    Export = 0,
    Name = 1,
    Description = 2,
    BlockSize = 3,
}

internal enum NbdCommand : ushort
{
    Read = 0,
    Write = 1,
    Disconnect = 2,
    Flush = 3,
    Trim = 4,
    Cache = 5,
    WriteZeroes = 6,
    BlockStatus = 7,
}

[Flags]
internal enum NbdCommandFlags : ushort
{
    None = 0,

    /// <summary>The answer to a read comes in one piece.</summary>
    Whole = 1 << 2,

    /// <summary>A block status reply has one descriptor.</summary>
    One = 1 << 3,
}

internal enum NbdChunk : ushort
{
    None = 0,
    OffsetData = 1,
    OffsetHole = 2,
    BlockStatus = 5,
    Error = NbdProtocol.ChunkErrorBit + 1,
    ErrorOffset = NbdProtocol.ChunkErrorBit + 2,
}
