"""What the sample's notebook says: shop accounts, diary, clinic notes, errands; all invented."""

import random
import re
from collections.abc import Iterator

# A slot {name} is filled from the list of that name; {2-9} is a number between the two.
SENTENCES = (
    "{month}月{day}日，{weather}，{mood}。",
    "{month}月{day}日{place}买{goods}{2-20}{unit}",
    "{goods}{2-12}{unit}，共{12-480}元{coin}",
    "收到{person}货款￥{1-9},{100-999}.00",
    "欠{person}{10-300}元，{weekday}还清",
    "{shop}发票No.{10000-99999}，已付",
    "{shop}今天{sold}{3-40}{unit}{goods}",
    "退货{1-6}{unit}：{goods}{fault}",
    "{person}复诊，体温{36-39}.{0-9}度，{symptom}",
    "{person}，{20-80}岁，{symptom}{2-9}天",
    "血压{105-160}/{65-98}，{advice}",
    "{drug}每日{2-4}次，饭{when}服{1-3}片",
    "{person}对{allergen}过敏，勿开{drug}",
    "嘱{person}{advice}，{weekday}再来",
    "{weather}，在{place}等{person}到{1-11}点",
    "{person}寄来{gift}，{mood}",
    "昨夜{night}，今早{morning}",
    "{place}的{plant}开了，{mood}",
    "读《{book}》第{2-90}页，{thought}",
    "{person}说{saying}",
    "给{person}打电话：0571-{6200000-8999999}",
    "{weekday}{1-12}:{10-59}，{place}见{person}",
    "WiFi密码改为{code}",
    "修{machine}花了{30-600}元，{fixed}",
    "{machine}型号{code}，保修到{year}年",
    "把{english}发到邮箱，{person}急要",
    "{english}已打印{2-30}份，放在{where}",
    "第{2-40}课：{lesson}，错了{1-9}题",
    "{person}考了{61-99}分，比上次{change}",
    "孩子问：{question}",
    "坐{1-99}路车到{place}，{thought}",
    "钥匙留在{where}，{person}来取",
    "借给{person}{gift}，{weekday}归还",
    "{month}月房租{800-3200}元已转{person}",
    "水表{1000-9999}，电表{10000-60000}",
    "{dish}要{cook}{5-50}分钟，{taste}",
    "{person}教我做{dish}，{taste}",
    "{plant}浇水，每盆{100-500}ml",
    "约{person}{weekday}去{place}，带{gift}",
    "{train}次{6-23}:{10-59}开，{1-16}车{1-20}号",
    "今天记住一个词：{word}",
    "{word}这个词总是拼错",
    "Tel {130-189}-{10000000-99999999}",
    "To {name}：{saying}",
    "{name}寄来明信片，{thought}",
    "{shop}打{5-9}折，{goods}只要{3-60}元",
)
LISTS = {
    "month": "1 2 3 4 5 6 7 8 9 10 11 12",
    "day": "1 2 4 5 7 8 9 11 13 14 16 18 19 20 22 23 25 27 28 30",
    "year": "2025 2026 2027 2028 2029 2030",
    "weekday": "周一 周二 周三 周四 周五 周六 周日 下周三 明早 后天",
    "weather": "小雨转晴 大雾 闷热 北风很紧 初雪 阴 晴得发亮 雷阵雨 霜降 微风 雨停了",
    "mood": (
        "心里踏实 有点想家 睡得早 没有出门 精神好多了 忙到半夜 很是高兴 懒得说话 写了两封信 "
        "胃口不错"
    ),
    "place": (
        "南门外 菜市场 旧书摊 码头 镇卫生院 后山 图书馆 火车站 河边 老茶馆 邮局 果园 桥头 "
        "祠堂 水库 操场"
    ),
    "goods": (
        "铅笔 酱油 灯泡 毛线 砂纸 红糖 电池 雨伞 棉被 铁钉 豆腐 鸡蛋 花生油 信封 肥皂 扫帚 "
        "陶碗 辣椒 墨水 麻绳"
    ),
    "unit": "斤 盒 支 包 箱 瓶 卷 把 只 袋 捆",
    "coin": "整 五角 八角 二分 ，未付 ，已结 ，记账",
    "person": (
        "老陈 孙大夫 赵婶 小梅 周会计 阿福 林老师 许师傅 二姐 外婆 邓工 杨护士 郭掌柜 志远 "
        "秋兰 胡伯 罗经理"
    ),
    "shop": "永丰杂货 东街药房 顺达五金 红星副食 兰亭文具 老何粮油 新华书店 百合布庄",
    "sold": "卖出 进货 盘点缺 送来 订了",
    "fault": "受潮 破损 短少 颜色不对 漏油 过期",
    "symptom": "咳嗽 头晕乏力 膝盖疼 夜里盗汗 嗓子红肿 胃胀 耳鸣 左肩酸痛 食欲差 皮疹已退",
    "advice": "少盐多走动 多喝温水 按时吃药 卧床三日 忌辛辣 早睡 热敷伤处 下月查血",
    "drug": "阿司匹林 甘草片 维生素B 止咳糖浆 青霉素 板蓝根 碘酒 叶酸",
    "when": "前 后",
    "allergen": "花粉 虾蟹 磺胺 尘螨 牛奶 芒果",
    "gift": "一罐蜂蜜 两双布鞋 半袋新米 旧相册 手织围巾 腊肉 一盆兰草 口琴 照相机 望远镜 茶叶",
    "night": "狗叫了很久 停电两回 梦见渡船 雨打窗户 炉火灭了 听见笛声",
    "morning": "院里积了水 井台结冰 邻居送粥来 鸟叫得早 路滑难行 屋檐滴水",
    "plant": "石榴 桂花 栀子 腊梅 芍药 向日葵 茉莉 月季 荷花",
    "book": "边城 呼兰河传 朝花夕拾 茶馆 水浒 昆虫记 老人与海 骆驼祥子 城南旧事",
    "thought": "想了很久 颇有味道 字迹已淡 没有看懂 值得抄下来 忽然明白了 一路无话 还是旧时样子",
    "saying": (
        "“慢慢来” 明年修屋顶 今年收成好 别忘了关窗 旧账一笔勾销 路上小心 鱼汤要趁热 "
        "信收到了 一切都好"
    ),
    "code": "Lotus2041 hm-7306 KX90T river88 B5-1172 Qiao_619 M340d",
    "machine": "缝纫机 收音机 水泵 打印机 电风扇 自行车 冰箱 磨面机 座钟",
    "fixed": "声音小了 又能用了 还漏一点水 换了新皮带 保修半年",
    "where": "柜子上层 门后 书桌左边 窗台 信箱里 抽屉底 柴房",
    "lesson": "分数除法 古诗三首 电路图 光合作用 长江水系 过去时态 圆的周长",
    "change": "多四分 少两分 进步 略差 一样",
    "question": "雪为什么白？ 鱼睡觉吗？ 星星有几颗？ 风从哪里来？ 船怎么不沉？ 影子会累吗？",
    "dish": "萝卜糕 酸菜鱼 红烧茄子 荷叶粥 糖醋排骨 葱油饼 腌笃鲜 豆沙包",
    "cook": "蒸 炖 煮 焖 炒",
    "taste": "味道刚好 稍咸 香极了 火候差一点 全家都说好 不够辣",
    "train": "K381 G1502 T76 D3117 Z259",
    "word": "window journey harvest quiet bridge lantern winter kitchen market orange shadow",
    "name": "Anna Peter Mr. Lin Dr. Wu Emily Tom Maria",
}
CHOICES = {name: re.split(r"(?<!Mr\.)(?<!Dr\.) ", words) for name, words in LISTS.items()}
CHOICES["english"] = [
    "report.pdf", "invoice 8", "notes.txt", "budget v2", "Photo 17", "order list", "menu.doc",
    "map A3",
]  # fmt: skip


def compose_lines(chooser: random.Random) -> Iterator[str]:
    """Yield sentences with their slots filled; every sentence comes once before any comes again."""
    while True:
        for sentence in chooser.sample(SENTENCES, len(SENTENCES)):
            yield fill_slots(sentence, chooser)


def fill_slots(sentence: str, chooser: random.Random) -> str:
    """Return the sentence with a random word or number in every slot."""

    def fill(slot: re.Match[str]) -> str:
        low, dash, high = slot[1].partition("-")
        if dash:
            return str(chooser.randint(int(low), int(high)))
        return chooser.choice(CHOICES[slot[1]])

    return re.sub(r"\{([^}]+)\}", fill, sentence)
