using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Evidence.Acquisition;
using Evidence.Formats.Nbd;
using Evidence.Segments;
using Evidence.Sources.Nbd;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Formats.Nbd;

public sealed class NbdServerTests
{
    private const int ServerGreeting = 18;

    /// <summary>A whole conversation that is valid, in which every option and every command comes.</summary>
    private static readonly byte[] Everything =
    [
        .. ServedImage.Flags(), .. ServedImage.Option(NbdOption.List), .. ServedImage.Option(NbdOption.StartTls), .. ServedImage.Option(NbdOption.StructuredReply),
        .. ServedImage.Contexts(NbdOption.ListMetaContext), .. ServedImage.Contexts(NbdOption.SetMetaContext, "base:allocation"), .. ServedImage.Go(option: NbdOption.Info), .. ServedImage.Go(),
        .. ServedImage.Request(NbdCommand.Read, 1, 0, 300_000), .. ServedImage.Request(NbdCommand.BlockStatus, 2, 0, 1_000_037),
        .. ServedImage.Request(NbdCommand.Read, 3, ServedImage.ZerosAt - 100, ServedImage.ZerosLength + 200), .. ServedImage.Request(NbdCommand.Read, 4, 350_000, 20_000),
        .. ServedImage.Request(NbdCommand.Read, 5, 1000, 3000, NbdCommandFlags.Whole), .. ServedImage.Request(NbdCommand.BlockStatus, 6, 400_000, 300_000, NbdCommandFlags.One),
        .. ServedImage.Request(NbdCommand.Write, 7, 0, 8), 1, 2, 3, 4, 5, 6, 7, 8, .. ServedImage.Request(NbdCommand.Read, 8, 999_000, 1037), .. ServedImage.Request(NbdCommand.Trim, 9, 0, 512),
        .. ServedImage.Request(NbdCommand.Disconnect, 10, 0, 0),
    ];

    [Theory]
    [InlineData(AbsentBytes.Refuse)]
    [InlineData(AbsentBytes.Zero)]
    public async Task Our_own_client_images_what_is_served_and_absence_stays_absence(AbsentBytes absent)
    {
        using ServedImage served = await ServedImage.MakeAsync();
        using var folder = new TemporaryFolder();
        using NbdServer server = NbdServer.Listen(served.Image, "disk", Path.Combine(folder.Path, "socket"), new ImageReadOptions { Absent = absent });
        using var stop = new CancellationTokenSource();
        Task running = server.RunAsync(stop.Token);
        using var place = new TestVault();
        using (Vault vault = place.Create())
        {
            using var source = NbdSource.Open(server.Address, null);
            AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
            Assert.Equal(served.Content, await TestVault.ExportAsync(vault, result));
            // Zeros were read, there and here; only what could not be read is said so.
            (RunKind, long, long)[] expected = [.. served.Image.Runs().Where(r => !r.IsPresent).Select(r => (r.Kind, r.Offset, r.Length))];
            Assert.NotEmpty(expected);
            Assert.Equal(absent == AbsentBytes.Zero ? [] : expected, vault.OpenImage(result.Image).Runs().Where(r => !r.IsPresent).Select(r => (r.Kind, r.Offset, r.Length)));
        }

        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Whatever_is_asked_is_answered_and_every_byte_is_the_image_s()
    {
        using ServedImage served = await ServedImage.MakeAsync();
        byte[] heard = await served.HearAsync(Everything);
        Dictionary<ulong, List<Chunk>> replies = Replies(heard, OptionReplies(heard));
        Assert.Equal(Enumerable.Range(1, 9).Select(i => (ulong)i), replies.Keys.Order());
        Check(served, heard);
        Assert.Equal(300_000, replies[1].Sum(chunk => chunk.Payload.Length - 8));
        // The zeros in the middle are not sent.
        Assert.Contains(replies[3], chunk => chunk.Kind == NbdChunk.OffsetHole && chunk.Payload.Length == 12);
        // Up to the bad sector there is content, and then an error with its place.
        Assert.Equal(NbdChunk.ErrorOffset, replies[4][^1].Kind);
        Assert.Equal(ServedImage.BadSector * 512, BinaryPrimitives.ReadInt64BigEndian(replies[4][^1].Payload.AsSpan(^8)));
        Assert.Contains("could not be read from the source", Encoding.UTF8.GetString(replies[4][^1].Payload), StringComparison.Ordinal);
        Assert.Equal(NbdChunk.OffsetData, Assert.Single(replies[5]).Kind);
        Assert.Equal(4 + 8, Assert.Single(replies[6]).Payload.Length);
        Assert.All([replies[7], replies[9]], reply => Assert.Equal((NbdChunk.Error, 1u), (Assert.Single(reply).Kind, BinaryPrimitives.ReadUInt32BigEndian(reply[0].Payload))));

        // The states cover the image, and are those of its runs.
        byte[] status = Assert.Single(replies[2]).Payload;
        long at = 0;
        for (int i = 4; i < status.Length; i += 8)
        {
            uint state = BinaryPrimitives.ReadUInt32BigEndian(status.AsSpan(i + 4));
            uint length = BinaryPrimitives.ReadUInt32BigEndian(status.AsSpan(i));
            Assert.All(served.Image.Runs(at, length), run => Assert.Equal(run.Kind == RunKind.Zero, state == NbdProtocol.StateZero));
            at += length;
        }

        Assert.Equal(served.Image.Size, at);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_old_client_gets_the_same_in_the_old_form(bool brief)
    {
        using ServedImage served = await ServedImage.MakeAsync();
        byte[] heard = await served.HearAsync(
        [
            .. ServedImage.Flags(brief ? 3u : 1u), .. ServedImage.Option(NbdOption.ExportName, "disk"u8.ToArray()),
            .. ServedImage.Request(NbdCommand.Read, 1, 400_000, 600_000), .. ServedImage.Request(NbdCommand.Disconnect, 2, 0, 0),
        ]);
        int begin = ServerGreeting + 10 + (brief ? 0 : 124);
        Assert.Equal(served.Image.Size, BinaryPrimitives.ReadInt64BigEndian(heard.AsSpan(ServerGreeting)));
        Assert.Equal(begin + 16 + 600_000, heard.Length);
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32BigEndian(heard.AsSpan(begin + 4)));
        Assert.True(heard.AsSpan(begin + 16).SequenceEqual(served.Content.AsSpan(400_000, 600_000)));

        // What is absent is an error of the whole, told before a byte of it.
        byte[] refused = await served.HearAsync(
        [
            .. ServedImage.Flags(), .. ServedImage.Option(NbdOption.ExportName), .. ServedImage.Request(NbdCommand.Read, 1, 0, 900_000), .. ServedImage.Request(NbdCommand.Disconnect, 2, 0, 0),
        ]);
        Assert.Equal(ServerGreeting + 10 + 16, refused.Length);
        Assert.Equal(5u, BinaryPrimitives.ReadUInt32BigEndian(refused.AsSpan(^12)));
    }

    /// <summary>With EVIDENCE_LONG=1 a hundred thousand of them.</summary>
    [Fact]
    public async Task Hostile_clients_get_no_wrong_byte_and_end()
    {
        int mutants = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1" ? 100_000 : 3000;
        using ServedImage served = await ServedImage.MakeAsync();
        await Parallel.ForAsync(0, mutants, TestVault.Stop, async (seed, _) =>
        {
            byte[] said = Mutate(Everything, new Random(seed));
            byte[] heard = await served.HearAsync(said);
            try
            {
                Check(served, heard);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Mutant {seed}", e);
            }
        });
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    public async Task It_listens_on_this_machine_only(string address)
    {
        using ServedImage served = await ServedImage.MakeAsync();
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => NbdServer.Listen(served.Image, "disk", new IPEndPoint(IPAddress.Parse(address), 0))).Code);
    }

    [Fact]
    public async Task A_socket_of_the_dead_is_taken_and_one_in_use_or_a_file_is_not()
    {
        using ServedImage served = await ServedImage.MakeAsync();
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "socket");
        // Moved away, so that whoever made it does not take it along when it ends: as after a kill.
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path + ".bound"));
            File.Move(path + ".bound", path);
        }

        Assert.True(File.Exists(path));
        using (NbdServer.Listen(served.Image, "disk", path))
        {
            if (!OperatingSystem.IsWindows())
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => NbdServer.Listen(served.Image, "disk", path)).Code);
        }

        Assert.False(File.Exists(path));
        File.WriteAllText(path, "precious");
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => NbdServer.Listen(served.Image, "disk", path)).Code);
        Assert.Equal("precious", File.ReadAllText(path));
    }

    private sealed record Chunk(NbdChunk Kind, bool IsLast, byte[] Payload);

    private static byte[] Mutate(byte[] valid, Random random)
    {
        var bytes = new List<byte>(valid);
        for (int changes = random.Next(1, 4); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes[at] = (byte)(random.Next(2) * 255);
                    break;
                case 3:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 40), bytes.Count - at));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 80), bytes.Count - at)));
                    break;
                default:
                    bytes.RemoveRange(at + 1, bytes.Count - at - 1);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>
    /// What was heard is whole replies and nothing else, and every byte of content in them is the image's, at its place.
    /// </summary>
    private static void Check(ServedImage served, byte[] heard)
    {
        int begin = OptionReplies(heard);
        if (begin < 0)
            return;
        foreach ((ulong _, List<Chunk> chunks) in Replies(heard, begin))
        {
            foreach (Chunk chunk in chunks.Where(c => c.Kind is NbdChunk.OffsetData or NbdChunk.OffsetHole))
            {
                long offset = BinaryPrimitives.ReadInt64BigEndian(chunk.Payload);
                int length = chunk.Kind == NbdChunk.OffsetData ? chunk.Payload.Length - 8 : (int)BinaryPrimitives.ReadUInt32BigEndian(chunk.Payload.AsSpan(8));
                ReadOnlySpan<byte> expected = served.Content.AsSpan((int)offset, length);
                Assert.True(chunk.Kind == NbdChunk.OffsetData ? expected.SequenceEqual(chunk.Payload.AsSpan(8)) : !expected.ContainsAnyExcept((byte)0), $"at {offset}+{length}");
                Assert.False(offset < (ServedImage.BadSector + 1) * 512 && offset + length > ServedImage.BadSector * 512, "what could not be read was given");
            }
        }
    }

    /// <summary>Where the replies to options end; negative where the client never came to structured replies, whose chunks can be told.</summary>
    private static int OptionReplies(byte[] heard)
    {
        int at = ServerGreeting;
        bool isStructured = false;
        bool isAcknowledged = false;
        while (at + 20 <= heard.Length && BinaryPrimitives.ReadUInt64BigEndian(heard.AsSpan(at)) == NbdProtocol.OptionReplyMagic)
        {
            var option = (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(heard.AsSpan(at + 8));
            var kind = (NbdOptionReply)BinaryPrimitives.ReadUInt32BigEndian(heard.AsSpan(at + 12));
            isStructured |= option == NbdOption.StructuredReply && kind == NbdOptionReply.Ack;
            isAcknowledged = option == NbdOption.Go && kind == NbdOptionReply.Ack;
            at += 20 + BinaryPrimitives.ReadInt32BigEndian(heard.AsSpan(at + 16));
        }

        return isStructured && isAcknowledged ? at : -1;
    }

    private static Dictionary<ulong, List<Chunk>> Replies(byte[] heard, int at)
    {
        var replies = new Dictionary<ulong, List<Chunk>>();
        while (at < heard.Length)
        {
            Assert.Equal(NbdProtocol.StructuredReplyMagic, BinaryPrimitives.ReadUInt32BigEndian(heard.AsSpan(at)));
            int length = BinaryPrimitives.ReadInt32BigEndian(heard.AsSpan(at + 16));
            ulong cookie = BinaryPrimitives.ReadUInt64BigEndian(heard.AsSpan(at + 8));
            if (!replies.TryGetValue(cookie, out List<Chunk>? chunks))
                replies.Add(cookie, chunks = []);
            chunks.Add(new Chunk(
                (NbdChunk)BinaryPrimitives.ReadUInt16BigEndian(heard.AsSpan(at + 6)), BinaryPrimitives.ReadUInt16BigEndian(heard.AsSpan(at + 4)) == NbdProtocol.ChunkDone,
                heard[(at + 20)..(at + 20 + length)]));
            at += 20 + length;
        }

        Assert.Equal(heard.Length, at);
        return replies;
    }
}
