using System.Buffers.Binary;
using System.Text;
using Evidence.Sources.Nbd;

namespace Evidence.Formats.Nbd;

/// <summary>What a negotiation ended with.</summary>
/// <param name="IsStructured">Whether answers come in chunks.</param>
/// <param name="HasAllocation">Whether the client may ask for the allocation.</param>
internal readonly record struct NbdAgreement(bool IsStructured, bool HasAllocation);

/// <summary>
/// The server's side of the fixed newstyle negotiation. Whatever a client sends has a bound: who goes past it, or breaks the protocol where it cannot go on, is hung up on
/// (<see cref="InvalidDataException"/>).
/// </summary>
internal sealed class NbdGreeting
{
    /// <summary>The number that <see cref="NbdProtocol.AllocationContext"/> has here.</summary>
    internal const uint AllocationNumber = 1;

    /// <summary>The most bytes that a request reads: what a client may count on anyway.</summary>
    internal const int LargestRead = NbdProtocol.DefaultMaximumPayload;

    private const int MostOptions = 256;

    /// <summary>The longest data of an option that is looked at; more is passed over, up to <see cref="LongestSkipped"/>.</summary>
    private const int LongestOption = 4 * NbdProtocol.LongestString;
    private const int LongestSkipped = 1 << 20;
    private const int PreferredBlock = 64 << 10;

    private static readonly byte[] Allocation = Encoding.UTF8.GetBytes(NbdProtocol.AllocationContext);

    private readonly NbdWire wire;
    private readonly NbdServedImage image;
    private readonly CancellationToken cancellation;
    private bool isStructured;
    private bool hasAllocation;

    private NbdGreeting(NbdWire wire, NbdServedImage image, CancellationToken cancellation)
    {
        this.wire = wire;
        this.image = image;
        this.cancellation = cancellation;
    }

    private NbdTransmissionFlags Flags => NbdServedImage.Flags | (isStructured ? NbdTransmissionFlags.SendsWhole : NbdTransmissionFlags.None);

    /// <returns>Null where the client takes its leave.</returns>
    internal static Task<NbdAgreement?> RunAsync(NbdWire wire, NbdServedImage image, CancellationToken cancellation) =>
        new NbdGreeting(wire, image, cancellation).RunAsync();

    private async Task<NbdAgreement?> RunAsync()
    {
        const NbdHandshakeFlags Known = NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes;
        var greeting = new byte[(2 * sizeof(ulong)) + sizeof(ushort)];
        BinaryPrimitives.WriteUInt64BigEndian(greeting, NbdProtocol.ServerMagic);
        BinaryPrimitives.WriteUInt64BigEndian(greeting.AsSpan(sizeof(ulong)), NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt16BigEndian(greeting.AsSpan(2 * sizeof(ulong)), (ushort)Known);
        await wire.SendAsync(greeting).ConfigureAwait(false);
        uint answer = await wire.ReadUInt32Async(cancellation).ConfigureAwait(false);
        if ((answer & ~(uint)Known) != 0)
            throw new InvalidDataException($"it sent the unknown flags 0x{answer:x}");
        var flags = (NbdHandshakeFlags)answer;

        for (int options = 0; options < MostOptions; options++)
        {
            ulong magic = await wire.ReadUInt64Async(cancellation).ConfigureAwait(false);
            if (magic != NbdProtocol.OptionMagic)
                throw new InvalidDataException($"an option began with {NbdError.Show(magic)}");
            var option = (NbdOption)await wire.ReadUInt32Async(cancellation).ConfigureAwait(false);
            uint length = await wire.ReadUInt32Async(cancellation).ConfigureAwait(false);
            if (length > LongestSkipped)
                throw new InvalidDataException($"an option has {length} bytes");
            if (option == NbdOption.ExportName)
                return await EnterByNameAsync(length, flags.HasFlag(NbdHandshakeFlags.NoZeroes)).ConfigureAwait(false);
            if (!flags.HasFlag(NbdHandshakeFlags.FixedNewstyle))
                throw new InvalidDataException($"without the fixed negotiation it asked for {NbdError.Name(option)}");
            if (length > LongestOption)
            {
                await wire.SkipAsync(length, cancellation).ConfigureAwait(false);
                await ReplyAsync(option, NbdOptionReply.TooBig, "No option is that long here."u8.ToArray()).ConfigureAwait(false);
                continue;
            }

            var data = new byte[length];
            await wire.ReadAsync(data, cancellation).ConfigureAwait(false);
            if (option == NbdOption.Abort)
            {
                await ReplyAsync(option, NbdOptionReply.Ack).ConfigureAwait(false);
                return null;
            }

            if (await AnswerAsync(option, data).ConfigureAwait(false))
                return new NbdAgreement(isStructured, hasAllocation);
        }

        throw new InvalidDataException($"it sent {MostOptions} options and did not come to an end");
    }

    /// <returns>Whether the transmission begins.</returns>
    private async ValueTask<bool> AnswerAsync(NbdOption option, byte[] data)
    {
        switch (option)
        {
            case NbdOption.List when data.Length == 0:
                var server = new byte[sizeof(uint) + image.Name.Length + image.Description.Length];
                BinaryPrimitives.WriteInt32BigEndian(server, image.Name.Length);
                image.Name.CopyTo(server, sizeof(uint));
                image.Description.CopyTo(server, sizeof(uint) + image.Name.Length);
                await ReplyAsync(option, NbdOptionReply.Server, server).ConfigureAwait(false);
                await ReplyAsync(option, NbdOptionReply.Ack).ConfigureAwait(false);
                return false;
            case NbdOption.StructuredReply when data.Length == 0:
                isStructured = true;
                await ReplyAsync(option, NbdOptionReply.Ack).ConfigureAwait(false);
                return false;
            case NbdOption.Info or NbdOption.Go:
                return await InformAsync(option, data).ConfigureAwait(false) && option == NbdOption.Go;
            case NbdOption.ListMetaContext or NbdOption.SetMetaContext:
                await ChooseContextsAsync(option, data).ConfigureAwait(false);
                return false;
            case NbdOption.List or NbdOption.StructuredReply:
                await ReplyAsync(option, NbdOptionReply.Invalid, "This option has no data."u8.ToArray()).ConfigureAwait(false);
                return false;
            case NbdOption.StartTls:
                await ReplyAsync(option, NbdOptionReply.Policy, "There is no TLS here: what is served stays on this machine."u8.ToArray()).ConfigureAwait(false);
                return false;
            default:
                await ReplyAsync(option, NbdOptionReply.Unsupported).ConfigureAwait(false);
                return false;
        }
    }

    private async ValueTask<NbdAgreement?> EnterByNameAsync(uint length, bool isBrief)
    {
        if (length > NbdProtocol.LongestString)
            throw new InvalidDataException($"an export's name has {length} bytes");
        var name = new byte[length];
        await wire.ReadAsync(name, cancellation).ConfigureAwait(false);
        // The protocol has no words for this.
        if (!image.IsNamed(name))
            throw new InvalidDataException("it asked for an export that is not here");
        var answer = new byte[sizeof(ulong) + sizeof(ushort) + (isBrief ? 0 : NbdProtocol.ReservedZeros)];
        BinaryPrimitives.WriteInt64BigEndian(answer, image.Reader.Size);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(sizeof(ulong)), (ushort)Flags);
        await wire.SendAsync(answer).ConfigureAwait(false);
        return new NbdAgreement(isStructured, hasAllocation);
    }

    /// <returns>Whether the export is told of.</returns>
    private async ValueTask<bool> InformAsync(NbdOption option, byte[] data)
    {
        if (!TryTakeString(data, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> rest) || rest.Length < sizeof(ushort) ||
            rest.Length != sizeof(ushort) * (1 + BinaryPrimitives.ReadUInt16BigEndian(rest.Span)))
        {
            await ReplyAsync(option, NbdOptionReply.Invalid, "Its data are not a name and a list of numbers."u8.ToArray()).ConfigureAwait(false);
            return false;
        }

        if (!image.IsNamed(name.Span))
        {
            await ReplyAsync(option, NbdOptionReply.Unknown, "There is no export of that name."u8.ToArray()).ConfigureAwait(false);
            return false;
        }

        var export = new byte[sizeof(ulong) + sizeof(ushort)];
        BinaryPrimitives.WriteInt64BigEndian(export, image.Reader.Size);
        BinaryPrimitives.WriteUInt16BigEndian(export.AsSpan(sizeof(ulong)), (ushort)Flags);
        await InformAsync(option, NbdInformation.Export, export).ConfigureAwait(false);
        var wanted = new HashSet<NbdInformation>();
        for (int at = sizeof(ushort); at < rest.Length; at += sizeof(ushort))
            wanted.Add((NbdInformation)BinaryPrimitives.ReadUInt16BigEndian(rest.Span[at..]));
        if (wanted.Contains(NbdInformation.Name))
            await InformAsync(option, NbdInformation.Name, image.Name).ConfigureAwait(false);
        if (wanted.Contains(NbdInformation.Description))
            await InformAsync(option, NbdInformation.Description, image.Description).ConfigureAwait(false);
        if (wanted.Contains(NbdInformation.BlockSize))
        {
            var sizes = new byte[3 * sizeof(uint)];
            BinaryPrimitives.WriteInt32BigEndian(sizes, 1);
            BinaryPrimitives.WriteInt32BigEndian(sizes.AsSpan(sizeof(uint)), PreferredBlock);
            BinaryPrimitives.WriteInt32BigEndian(sizes.AsSpan(2 * sizeof(uint)), LargestRead);
            await InformAsync(option, NbdInformation.BlockSize, sizes).ConfigureAwait(false);
        }

        await ReplyAsync(option, NbdOptionReply.Ack).ConfigureAwait(false);
        return true;
    }

    private ValueTask InformAsync(NbdOption option, NbdInformation kind, byte[] value)
    {
        var reply = new byte[sizeof(ushort) + value.Length];
        BinaryPrimitives.WriteUInt16BigEndian(reply, (ushort)kind);
        value.CopyTo(reply, sizeof(ushort));
        return ReplyAsync(option, NbdOptionReply.Info, reply);
    }

    private async ValueTask ChooseContextsAsync(NbdOption option, byte[] data)
    {
        bool isChoice = option == NbdOption.SetMetaContext;
        // What was chosen before is chosen no more, whatever comes of this.
        if (isChoice)
            hasAllocation = false;
        if (!isStructured || ContextQueries(data) is not { } asked)
        {
            await ReplyAsync(option, NbdOptionReply.Invalid, "It needs structured replies, and has a name and a list of queries."u8.ToArray()).ConfigureAwait(false);
            return;
        }

        if (!image.IsNamed(asked.Name.Span))
        {
            await ReplyAsync(option, NbdOptionReply.Unknown, "There is no export of that name."u8.ToArray()).ConfigureAwait(false);
            return;
        }

        // To list, no query means all, and a namespace alone all that it has.
        bool isMeant = asked.Queries.Exists(query => query.Span.SequenceEqual(Allocation)) ||
            (!isChoice && (asked.Queries.Count == 0 || asked.Queries.Exists(query => query.Span.SequenceEqual("base:"u8))));
        if (isMeant)
        {
            var context = new byte[sizeof(uint) + Allocation.Length];
            BinaryPrimitives.WriteUInt32BigEndian(context, isChoice ? AllocationNumber : 0);
            Allocation.CopyTo(context, sizeof(uint));
            await ReplyAsync(option, NbdOptionReply.MetaContext, context).ConfigureAwait(false);
            hasAllocation |= isChoice;
        }

        await ReplyAsync(option, NbdOptionReply.Ack).ConfigureAwait(false);
    }

    /// <summary>A name, a number, and as many queries as that says; null where the data are anything else.</summary>
    private static (ReadOnlyMemory<byte> Name, List<ReadOnlyMemory<byte>> Queries)? ContextQueries(byte[] data)
    {
        if (!TryTakeString(data, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> rest) || rest.Length < sizeof(uint))
            return null;
        uint count = BinaryPrimitives.ReadUInt32BigEndian(rest.Span);
        rest = rest[sizeof(uint)..];
        var queries = new List<ReadOnlyMemory<byte>>();
        // Each takes four bytes at least, so the data bound the count.
        for (uint i = 0; i < count; i++)
        {
            if (!TryTakeString(rest, out ReadOnlyMemory<byte> query, out rest))
                return null;
            queries.Add(query);
        }

        return rest.IsEmpty ? (name, queries) : null;
    }

    private static bool TryTakeString(ReadOnlyMemory<byte> data, out ReadOnlyMemory<byte> text, out ReadOnlyMemory<byte> rest)
    {
        text = rest = default;
        if (data.Length < sizeof(uint))
            return false;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(data.Span);
        if (length > NbdProtocol.LongestString || length > data.Length - sizeof(uint))
            return false;
        text = data.Slice(sizeof(uint), (int)length);
        rest = data[(sizeof(uint) + (int)length)..];
        return true;
    }

    private ValueTask ReplyAsync(NbdOption option, NbdOptionReply kind, byte[]? data = null)
    {
        const int HeaderLength = sizeof(ulong) + (3 * sizeof(uint));
        var reply = new byte[HeaderLength + (data?.Length ?? 0)];
        BinaryPrimitives.WriteUInt64BigEndian(reply, NbdProtocol.OptionReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteUInt32BigEndian(reply.AsSpan(12), (uint)kind);
        BinaryPrimitives.WriteInt32BigEndian(reply.AsSpan(16), data?.Length ?? 0);
        data?.CopyTo(reply, HeaderLength);
        return wire.SendAsync(reply);
    }
}
