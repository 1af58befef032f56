using System.Buffers.Binary;
using System.Text;
using Evidence.Acquisition;
using Evidence.Formats.Nbd;
using Evidence.Sources.Nbd;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Tests.Formats.Nbd;

/// <summary>A vault with an image that has everything: data, text, zeros, a fill, bad sectors; and conversations with its server, without a socket between.</summary>
internal sealed class ServedImage : IDisposable
{
    internal const string Name = "disk";
    internal const int BadSector = 700;
    internal const int ZerosAt = 500_000 / 512 * 512;
    internal const int ZerosLength = 200 * 512;

    private readonly TestVault place;
    private readonly Vault vault;
    private readonly ImageReader reader;

    private ServedImage(Vault vault, VaultImage image, byte[] content, AbsentBytes absent, TestVault place)
    {
        this.place = place;
        this.vault = vault;
        Image = image;
        Content = content;
        reader = image.OpenReader(new ImageReadOptions { Absent = absent });
        Export = new NbdServedImage(reader, absent, Name, "a disk");
    }

    internal VaultImage Image { get; }

    internal byte[] Content { get; }

    internal NbdServedImage Export { get; }

    internal static async Task<ServedImage> MakeAsync(AbsentBytes absent = AbsentBytes.Refuse)
    {
        var made = new TestVault();
        Vault opened = made.Create();
        byte[] content = TestBytes.Random(1_000_037, 1);
        content.AsSpan(ZerosAt, ZerosLength).Clear();
        content.AsSpan(800_256, 30_000).Fill(0xAA);
        var source = new FailingSource(content) { BadSectors = [BadSector], FailsWholeRequest = true };
        VaultImage image = opened.OpenImage((await new Acquirer(opened).AcquireAsync(source, cancellation: TestVault.Stop)).Image);
        content.AsSpan(BadSector * 512, 512).Clear();
        return new ServedImage(opened, image, content, absent, made);
    }

    /// <summary>Has the server hear what a client says, to its end.</summary>
    /// <returns>What the server said.</returns>
    internal async Task<byte[]> HearAsync(byte[] said)
    {
        using var wire = new ScriptedClient(said);
        try
        {
            await NbdConversation.RunAsync(wire, Export, new NbdLimits(), NullLogger.Instance, TestVault.Stop);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            // It hangs up: on one who has gone, or who breaks the protocol.
        }

        return wire.Heard;
    }

    public void Dispose()
    {
        reader.Dispose();
        vault.Dispose();
        place.Dispose();
    }

    /// <summary>What clients say.</summary>
    internal static byte[] Flags(uint flags = 3) => BigEndian(flags);

    internal static byte[] Option(NbdOption option, params byte[] data) => [.. BigEndian(NbdProtocol.OptionMagic), .. BigEndian((uint)option), .. BigEndian((uint)data.Length), .. data];

    internal static byte[] Go(string name = Name, NbdOption option = NbdOption.Go) => Option(option, [.. Text(name), 0, 3, 0, 1, 0, 2, 0, 3]);

    internal static byte[] Contexts(NbdOption option, params string[] queries) =>
        Option(option, [.. Text(Name), .. BigEndian((uint)queries.Length), .. queries.SelectMany(Text)]);

    internal static byte[] Request(NbdCommand command, ulong cookie, long offset, uint length, NbdCommandFlags flags = NbdCommandFlags.None) =>
    [
        .. BigEndian(NbdProtocol.RequestMagic), 0, (byte)flags, 0, (byte)command, .. BigEndian(cookie), .. BigEndian((ulong)offset), .. BigEndian(length),
    ];

    internal static byte[] BigEndian(uint number)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return bytes;
    }

    internal static byte[] BigEndian(ulong number)
    {
        var bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Text(string text) => [.. BigEndian((uint)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    /// <summary>A client that has said everything beforehand.</summary>
    private sealed class ScriptedClient(byte[] said) : Stream
    {
        private readonly MemoryStream heard = new();
        private readonly MemoryStream input = new(said);

        internal byte[] Heard => heard.ToArray();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(input.Read(buffer.Span));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            heard.Write(buffer.Span);
            return default;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            heard.Dispose();
            input.Dispose();
            base.Dispose(disposing);
        }
    }
}
